package status

import (
	"maps"
	"slices"
	"time"

	"sluice/pkg/events"
)

// list returns up to limit jobs that pass the filter and are older than after, the newest first, and whether there are more. For a
// filter that few jobs pass it goes through all of its time: milliseconds for 100,000 (BenchmarkLists), and some tens on busy cores.
func (x *index) list(question events.List, limit int) (page []events.Status, more bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	from, to := x.created(question.Filter)
	if question.After != nil {
		at, _ := slices.BinarySearchFunc(x.byAge, *question.After, compareEntry)
		to = min(to, at)
	}
	for at := to - 1; at >= from; at-- {
		e := x.byAge[at]
		if question.State != "" && e.status.State != question.State || !e.passes(question.Filter) {
			continue
		}
		if len(page) == limit {
			return page, true
		}
		s := e.status
		s.QueuePosition = x.positionOf(e)
		page = append(page, s)
	}
	return page, false
}

// count returns how many jobs pass the filter, by their states. With a filter it goes through all jobs of its time, as list does.
func (x *index) count(f events.Filter) map[events.State]int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if f == (events.Filter{}) {
		return maps.Clone(x.totals)
	}
	totals := make(map[events.State]int)
	from, to := x.created(f)
	for _, e := range x.byAge[from:max(from, to)] {
		if e.passes(f) {
			totals[e.status.State]++
		}
	}
	return totals
}

// waiting counts the jobs of a submitter, or all of them, that have not ended.
func (x *index) waiting(submitter string) events.Lanes {
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := newLanes()
	maps.Copy(found.Queued, x.open[submitter].Queued)
	maps.Copy(found.Totals, x.open[submitter].Totals)
	return found
}

func newLanes() events.Lanes {
	return events.Lanes{Queued: make(map[events.Priority]int), Totals: make(map[events.State]int)}
}

// countOpen counts a job that has not ended by one more or less. Each new job of a submitter with a limit asks for the count, so that
// it is kept: to go through 100,000 takes tens of milliseconds. The caller holds the lock.
func (x *index) countOpen(e *entry, by int) {
	s := &e.status
	if s.State.Terminal() {
		return
	}
	for _, submitter := range slices.Compact([]string{"", s.Spec.Submitter}) {
		lanes, known := x.open[submitter]
		if !known {
			lanes = newLanes()
			x.open[submitter] = lanes
		}
		add(lanes.Totals, s.State, by)
		if s.State == events.StateQueued {
			add(lanes.Queued, s.Spec.Priority, by)
		}
		if len(lanes.Totals) == 0 {
			delete(x.open, submitter)
		}
	}
}

// add keeps no counts of nothing.
func add[K comparable](counts map[K]int, of K, by int) {
	if counts[of] += by; counts[of] == 0 {
		delete(counts, of)
	}
}

// created returns the part of byAge that was created in the filter's time.
func (x *index) created(f events.Filter) (from, to int) {
	to = len(x.byAge)
	compare := func(e *entry, t time.Time) int { return time.UnixMilli(cursorOf(e.status).CreatedAtMS).Compare(t) }
	if !f.CreatedAfter.IsZero() {
		from, _ = slices.BinarySearchFunc(x.byAge, f.CreatedAfter, compare)
	}
	if !f.CreatedBefore.IsZero() {
		to, _ = slices.BinarySearchFunc(x.byAge, f.CreatedBefore, compare)
	}
	return from, to
}

// passes leaves the time of creation aside.
func (e *entry) passes(f events.Filter) bool {
	s := &e.status // which is large
	return (f.Priority == "" || s.Spec.Priority == f.Priority) && (f.Table == "" || s.Table == f.Table) &&
		(f.Source == "" || s.Spec.Source.URL == f.Source)
}
