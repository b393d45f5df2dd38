package status

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const (
	// reconciledAtOnce bounds how many jobs are looked at or repaired at a time.
	reconciledAtOnce = 8
	// answerTime bounds how long an ingester may take to answer.
	answerTime = 10 * time.Second
	// retentionMargin keeps what retention is about to remove, or another replica has removed by its own clock, from
	// coming back.
	retentionMargin = time.Hour
)

// reconciler compares what status knows with the history, the ledger and the queue, and repairs what differs. Whatever it
// does may be done by several replicas at once, and again.
type reconciler struct {
	bus   *bus.Bus
	store store
	index *index
	quiet time.Duration // how long nothing may be heard of a job before it is looked for its message
	age   time.Duration // how long documents are kept after their job's end
	part  int           // how many documents are held in memory while the history is folded anew
	now   func() time.Time
	log   *slog.Logger
	busy  chan struct{} // holds one that compares everything

	unheard atomic.Bool // no ingester has answered the last time that the ledger was asked for

	rewatch chan struct{} // is sent to when the bucket has to be watched anew
	mu      sync.Mutex
	made    time.Time // when the bucket was made that is watched
}

func newReconciler(config Config, b *bus.Bus, x *index) *reconciler {
	return &reconciler{
		bus: b, store: store{kv: b.Documents}, index: x, quiet: config.QuietAfter, age: config.Retention, part: 20000,
		now: time.Now, log: config.Log, busy: make(chan struct{}, 1), rewatch: make(chan struct{}, 1),
	}
}

// run reconciles until ctx ends: everything at first and when the bucket was made anew, with the ledger again until all of
// that has been read, and lost messages all the time.
func (r *reconciler) run(ctx context.Context) {
	every := r.quiet * 3 / 4
	compare, due := r.all, time.Now()
	for ctx.Err() == nil {
		if _, remade := r.remade(ctx); remade {
			compare, due = r.all, time.Now()
		}
		if compare != nil && !time.Now().Before(due) {
			done, err := compare(ctx)
			r.tell(ctx, "everything", done, err)
			due = time.Now().Add(3 * r.quiet)
			switch {
			case err == nil && done.Complete && done.Unchecked == 0:
				compare = nil
			case err == nil:
				compare = r.ledger
			}
		}
		done, err := r.lost(ctx)
		r.tell(ctx, "messages", done, err)
		select {
		case <-ctx.Done():
		case <-time.After(every/2 + rand.N(every)): //nolint:gosec // at other times than other replicas: mostly one repairs
		}
	}
}

// tell logs what was repaired, or why that was not all.
func (r *reconciler) tell(ctx context.Context, compared string, done events.Reconciled, err error) {
	if done != (events.Reconciled{Complete: done.Complete}) {
		r.log.Info("reconciled", "compared", compared, "documents", done.Documents, "reported", done.Reported,
			"requeued", done.Requeued, "unchecked", done.Unchecked)
	}
	if err != nil && ctx.Err() == nil {
		r.log.Warn("not all is compared; trying again", "err", err)
	}
}

// all compares everything once.
func (r *reconciler) all(ctx context.Context) (done events.Reconciled, err error) {
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	case <-ctx.Done():
		return done, ctx.Err()
	}
	for _, step := range []func(context.Context) (events.Reconciled, error){r.restored, r.ledger, r.lost} {
		more, err := step(ctx)
		done = sum(done, more)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// wanted is the rule by which a document is written: none that has left the bucket long after its job's end comes back
// for the last of its events, and none that could not be shown.
func (r *reconciler) wanted(old Document, found bool, next Document) bool {
	switch {
	case found && !old.state().Terminal():
		return true
	case next.state().Terminal():
		return !r.forgotten(next.Head.At)
	}
	return found || next.known()
}

// forgotten reports whether a job that ended then is no longer to be shown.
func (r *reconciler) forgotten(ended time.Time) bool {
	return ended.Before(r.now().Add(retentionMargin - r.age))
}

// each calls do for some jobs at a time, and sums up what it has done until it first fails.
func each[T any](
	ctx context.Context, jobs []T, do func(context.Context, T) (events.Reconciled, error),
) (done events.Reconciled, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reconciledAtOnce)
	for _, job := range jobs {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			more, err := do(ctx, job)
			mu.Lock()
			defer mu.Unlock()
			done = sum(done, more)
			return err
		})
	}
	err = group.Wait()
	return done, err
}

func sum(a, b events.Reconciled) events.Reconciled {
	return events.Reconciled{
		Documents: a.Documents + b.Documents, Reported: a.Reported + b.Reported, Requeued: a.Requeued + b.Requeued,
		Unchecked: a.Unchecked + b.Unchecked, Complete: a.Complete || b.Complete,
	}
}
