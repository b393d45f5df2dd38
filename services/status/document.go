package status

import (
	"bytes"
	"cmp"
	"encoding/json"

	"sluice/pkg/events"
)

// Document is what a job's events add up to. For each question about the job it keeps the event that answers it: of
// all events that could answer, the greatest in an order that does not depend on when they came.
type Document struct {
	State    events.State  `json:"state"`              // for those who look with the nats command; derived from the rest
	Origin   *events.Event `json:"origin,omitempty"`   // what was asked for?
	Head     *events.Event `json:"head,omitempty"`     // where in its life is it?
	Queued   *events.Event `json:"queued,omitempty"`   // what is its place in the queue?
	Started  *events.Event `json:"started,omitempty"`  // when did this run begin?
	Figures  *events.Event `json:"figures,omitempty"`  // how far is it, while it has not ended?
	Cancel   *events.Event `json:"cancel,omitempty"`   // has someone asked for its end?
	Sequence uint64        `json:"sequence,omitempty"` // the latest of its events in EVENTS that is folded in
}

// documentOf is the document of a job of which only e is known.
func documentOf(e events.Event, sequence uint64) Document {
	d := Document{Sequence: sequence}
	switch e.Type {
	case events.TypeCreated:
		d.Origin, d.Head = &e, &e
	case events.TypeRedriven:
		d.Head = &e
	case events.TypeQueued:
		d.Queued, d.Head = &e, &e
	case events.TypeStarted:
		d.Origin, d.Started, d.Head = &e, &e, &e
	case events.TypeProgress, events.TypeRetrying:
		d.Figures, d.Head = &e, &e
	case events.TypeSucceeded, events.TypeFailed, events.TypeCancelled:
		d.Head = &e // with figures of its own; kept once, since a result can be nearly as large as a message may be
	case events.TypeCancelRequested:
		d.Cancel = &e
	}
	d.State = d.state()
	return d
}

// byLife orders events by how far they are in their job's life.
func byLife(a, b *events.Event) int {
	return cmp.Or(
		cmp.Compare(a.Run, b.Run),
		cmp.Compare(outcomeRank(a.Type), outcomeRank(b.Type)),
		cmp.Compare(a.Claim, b.Claim),
		cmp.Compare(stageRank(a.Type), stageRank(b.Type)),
		cmp.Compare(a.Seq, b.Seq),
		byContent(a, b),
	)
}

// byOrigin prefers what the API wrote to what a worker repeated.
func byOrigin(a, b *events.Event) int {
	return cmp.Or(-cmp.Compare(stageRank(a.Type), stageRank(b.Type)), byLife(a, b))
}

// byStart prefers the first start of the latest run.
func byStart(a, b *events.Event) int {
	return cmp.Or(cmp.Compare(a.Run, b.Run), -cmp.Compare(a.Claim, b.Claim), byContent(a, b))
}

// byContent makes every order total, so that no answer depends on which of two equals came first.
func byContent(a, b *events.Event) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), a.At.Compare(b.At), cmp.Compare(a.By, b.By), bytes.Compare(encoded(a), encoded(b)))
}

func encoded(e *events.Event) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		return nil // cannot happen: it was decoded from JSON
	}
	return data
}

// outcomeRank puts every outcome above what is still under way. The ledger allows one outcome only; where events tell
// of two, what was committed is true and a cancel that was confirmed outranks a failure.
func outcomeRank(t events.Type) int {
	switch t {
	case events.TypeFailed:
		return 1
	case events.TypeCancelled:
		return 2
	case events.TypeSucceeded:
		return 3
	}
	return 0
}

func stageRank(t events.Type) int {
	switch t {
	case events.TypeCreated:
		return 0
	case events.TypeRedriven:
		return 1
	case events.TypeQueued:
		return 2
	case events.TypeStarted, events.TypeProgress:
		return 3
	}
	return 4
}
