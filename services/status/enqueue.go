package status

import (
	"context"
	"fmt"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// enqueue puts a run of a job on the queue by put, and says so in the history.
func enqueue(ctx context.Context, b *bus.Bus, job events.Job, put func(context.Context, events.Job) (uint64, error)) error {
	sequence, err := put(ctx, job)
	if err != nil {
		return err
	}
	queued := events.New(job.ID, events.Position{Run: job.Run}, time.Now(), identity, events.Queued{Sequence: sequence})
	if _, err := b.Events.Publish(ctx, queued); err != nil {
		return fmt.Errorf("saying that it is queued: %w", err)
	}
	return nil
}
