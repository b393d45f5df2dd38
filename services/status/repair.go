package status

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// repairer brings accepted jobs onto the queue whose creator did not get that far.
type repairer struct {
	bus   *bus.Bus
	index *index
	after time.Duration // how long a creator may take
	log   *slog.Logger
}

// run repairs until ctx ends.
func (r *repairer) run(ctx context.Context) {
	tick := time.NewTicker(r.after / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, job := range r.index.overdue(r.after) {
				r.requeue(ctx, job)
			}
		}
	}
}

// requeue is safe whatever has happened meanwhile: the queue refuses a second copy, a worker that meets a job whose run
// has ended only repeats its outcome.
func (r *repairer) requeue(ctx context.Context, job events.Job) {
	err := enqueue(ctx, r.bus, job, r.bus.Jobs.Publish)
	if errors.Is(err, bus.ErrOtherRun) {
		return // an older run's message is still to be taken off; next time
	}
	if err != nil {
		r.log.Warn("job not brought onto the queue; trying again", "job_id", job.ID, "err", err)
		return
	}
	r.log.Info("job brought onto the queue", "job_id", job.ID, "run", job.Run)
}
