package status

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// markerTime is how long the mark of a removed document is kept, for watchers that were away.
const markerTime = time.Hour

// retention removes the documents of jobs that ended long ago. Their events are gone by then.
type retention struct {
	store store
	index *index
	age   time.Duration // since the job's end
	every time.Duration
	now   func() time.Time
	log   *slog.Logger
}

// run removes until ctx ends.
func (r *retention) run(ctx context.Context) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.sweep(ctx)
		}
	}
}

func (r *retention) sweep(ctx context.Context) {
	before := r.now().Add(-r.age)
	for _, jobID := range r.index.endedBefore(before) {
		if err := r.store.remove(ctx, jobID, before); err != nil {
			r.log.Warn("old document kept; trying again", "job_id", jobID, "err", err)
		}
	}
}

// remove takes a document out of the bucket if its job ended before a time and nothing has been written to it since.
func (s store) remove(ctx context.Context, jobID string, before time.Time) error {
	d, revision, found, err := s.get(ctx, jobID)
	if err != nil || !found || !d.state().Terminal() || !d.Head.At.Before(before) {
		return err
	}
	err = s.kv.Purge(ctx, jobID, jetstream.LastRevision(revision), jetstream.PurgeTTL(markerTime))
	if err != nil && !bus.Conflict(err) { // lost against another replica, or against news
		return fmt.Errorf("removing the document of job %s: %w", jobID, err)
	}
	return nil
}
