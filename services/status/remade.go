package status

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// remade reports whether the bucket of documents is another one than the one that is watched, and since when.
func (r *reconciler) remade(ctx context.Context) (time.Time, bool) {
	status, err := r.bus.Documents.Status(ctx)
	if err != nil {
		return time.Time{}, false // an outage, or the bucket is not there again yet
	}
	bucket, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return time.Time{}, false
	}
	made := bucket.StreamInfo().Created
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.made.IsZero() {
		r.made = made
	}
	return made, !made.Equal(r.made)
}

// restored folds the history anew and, if the bucket was made anew, has it watched again then: a watch on the old one waits
// for revisions that the new one has not reached.
func (r *reconciler) restored(ctx context.Context) (events.Reconciled, error) {
	made, remade := r.remade(ctx)
	done, err := r.history(ctx)
	if err != nil || !remade {
		return done, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = made
	select {
	case r.rewatch <- struct{}{}:
	default: // it is about to be
	}
	return done, nil
}
