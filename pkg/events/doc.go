// Package events is Sluice's contract: what a job is, what may happen to it, where that is said and in which words.
//
// A [Job] is the message that waits on the work queue. An [Event] is one fact in a job's life, written once and never
// changed. A [Status] is what the facts add up to. Everything else in Sluice is either a writer or a reader of these.
//
// The package uses the standard library only, so that a program in any module can read the contract without taking on
// Sluice's dependencies. Each event type has a JSON schema in schema/ and an example in testdata/ that must decode for
// ever; docs/events.md explains them.
package events
