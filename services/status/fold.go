package status

import "sluice/pkg/events"

// fold adds an event to a document. Any number of replicas may fold the same events in any order, any number of times,
// and come to the same document.
func fold(d Document, e events.Event, sequence uint64) Document {
	return join(d, documentOf(e, sequence))
}

// join is the least document that knows all that a and b know. It is commutative, associative and idempotent.
func join(a, b Document) Document {
	d := Document{
		Origin:   later(a.Origin, b.Origin, byOrigin),
		Head:     later(a.Head, b.Head, byLife),
		Queued:   later(a.Queued, b.Queued, byLife),
		Started:  later(a.Started, b.Started, byStart),
		Figures:  later(a.Figures, b.Figures, byLife),
		Cancel:   later(a.Cancel, b.Cancel, byLife),
		Sequence: max(a.Sequence, b.Sequence),
	}
	d.State = d.state()
	return d
}

func later(a, b *events.Event, order func(a, b *events.Event) int) *events.Event {
	switch {
	case a == nil:
		return b
	case b == nil || order(a, b) >= 0:
		return a
	}
	return b
}
