package status

import (
	"time"

	"sluice/pkg/events"
)

// quiet returns the runs that have not ended and of which nothing was heard for at least age, but for those that the
// repairer sees to.
func (x *index) quiet(age time.Duration) []events.Job {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var jobs []events.Job
	for jobID, e := range x.byID {
		if _, ok := x.unqueued[jobID]; !ok && !e.status.State.Terminal() && x.now().Sub(e.since) >= age {
			jobs = append(jobs, events.NewJob(jobID, e.status.Run, e.status.Spec))
		}
	}
	return jobs
}

// underway returns how many jobs have not ended.
func (x *index) underway() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := 0
	for _, of := range x.open[""].Totals {
		n += of
	}
	return n
}

// over reports whether a run of a job is known to have ended, or to have been followed by another one.
func (x *index) over(jobID string, run int) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e, ok := x.byID[jobID]
	return ok && (e.status.Run > run || e.status.Run == run && e.status.State.Terminal())
}
