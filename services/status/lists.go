package status

import (
	"maps"
	"slices"
	"time"

	"sluice/pkg/events"
)

// list returns up to limit jobs that pass the filter and are older than after, the newest first, and whether there are more.
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

// count returns how many jobs pass the filter, by their states.
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
	found := events.Lanes{Queued: make(map[events.Priority]int), Totals: make(map[events.State]int)}
	for _, e := range x.open {
		if submitter != "" && e.status.Spec.Submitter != submitter {
			continue
		}
		found.Totals[e.status.State]++
		if e.status.State == events.StateQueued {
			found.Queued[e.status.Spec.Priority]++
		}
	}
	return found
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
	s := e.status
	return (f.Priority == "" || s.Spec.Priority == f.Priority) && (f.Table == "" || s.Table == f.Table) &&
		(f.Source == "" || s.Spec.Source.URL == f.Source)
}
