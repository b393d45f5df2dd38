package ingester

import "time"

// unchanged knows how long things have been as they are, by this process's own clock: whether a moment ago or for a
// while is what tells a worker that is about to act from one that is gone. A thing is known by all that may change of it.
type unchanged[T comparable] struct {
	before, met map[T]time.Time // in the pass before, and in this one, since when
}

func newUnchanged[T comparable]() *unchanged[T] { return &unchanged[T]{met: make(map[T]time.Time)} }

// begin is for the next pass. What was not met in the last one is forgotten.
func (u *unchanged[T]) begin() { u.before, u.met = u.met, make(map[T]time.Time) }

// since says for how long a thing has been met as it is, in one pass after another.
func (u *unchanged[T]) since(thing T) time.Duration {
	now := time.Now()
	first, known := u.before[thing]
	if !known {
		first = now
	}
	u.met[thing] = first
	return now.Sub(first)
}

// forget is for when it is not known what has happened meanwhile.
func (u *unchanged[T]) forget() { clear(u.met) }
