package status

import (
	"context"
	"errors"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// lost looks for the messages of jobs that have not ended and of which nothing is heard. Where one is gone, the job has
// ended, or else it needs a new one.
func (r *reconciler) lost(ctx context.Context) (done events.Reconciled, err error) {
	quiet := r.index.quiet(r.quiet)
	if len(quiet) == 0 {
		return done, nil
	}
	queued, err := r.bus.Jobs.AllQueued(ctx) // after the list was made: a message is taken off only once the end is told
	if err != nil {
		return done, err
	}
	var lost []events.Job
	for _, job := range quiet {
		if !queued[job.ID] {
			lost = append(lost, job)
		}
	}
	done, err = each(ctx, lost, r.restore)
	if errors.Is(err, errNobody) { // next time
		r.log.Warn("jobs without a message are not checked", "jobs", len(lost), "err", err)
		done.Unchecked, err = len(lost)-done.Reported-done.Requeued, nil
	}
	return done, err
}

// restore brings a job to its end whose message is gone: by what the history tells, by what the ledger tells, or by a new
// message.
func (r *reconciler) restore(ctx context.Context, job events.Job) (events.Reconciled, error) {
	d, done, err := r.catchUp(ctx, job.ID)
	if err != nil || d.over(job.Run) {
		return done, err
	}
	settled, more, err := r.report(ctx, job.ID, job.Run)
	done = sum(done, more)
	if err != nil || settled {
		return done, err
	}
	err = enqueue(ctx, r.bus, job, r.bus.Jobs.Restore)
	if errors.Is(err, bus.ErrOtherRun) { // it was queued meanwhile
		return done, nil
	}
	if err != nil {
		return done, err
	}
	r.log.Info("job without a message brought onto the queue", "job_id", job.ID, "run", job.Run)
	done.Requeued++
	return done, nil
}
