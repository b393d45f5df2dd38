package ingester

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// progressInterval is how often a running attempt tells how far it is.
const progressInterval = time.Second

// reporter writes the events of one attempt and keeps its figures.
type reporter struct {
	events *bus.Events
	job    events.Job
	by     string

	mu   sync.Mutex
	at   events.Position
	now  events.Figures
	then int64 // bytes at the last progress
}

func newReporter(e *bus.Events, job events.Job, worker string) *reporter {
	return &reporter{events: e, job: job, by: "ingester/" + worker, at: events.Position{Run: job.Run}}
}

// begin places what is reported from now on in the claim of r.
func (r *reporter) begin(register bus.Register) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.Claim != register.Claim {
		r.at.Seq = 0
	}
	r.at.Claim, r.at.Attempt = register.Claim, register.Attempt
}

// restart is for a load that begins with these figures.
func (r *reporter) restart(at events.Figures) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now, r.then = at, at.Bytes
}

func (r *reporter) phase(p events.Phase) { r.update(func(f *events.Figures) { f.Phase = p }) }

// update changes the figures.
func (r *reporter) update(change func(f *events.Figures)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.now)
}

// figures returns how far the attempt is.
func (r *reporter) figures() events.Figures {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// progress reports the figures every second until ctx ends. A report that does not get through is made up for by the
// next.
func (r *reporter) progress(ctx context.Context) {
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			_ = r.publish(ctx, now, events.Progress{Figures: r.rated()})
		}
	}
}

// rated returns the figures with the rate since it was last asked for them.
func (r *reporter) rated() events.Figures {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.BytesPerSecond = (r.now.Bytes - r.then) * int64(time.Second) / int64(progressInterval)
	r.then = r.now.Bytes
	return r.now
}

func (r *reporter) started(ctx context.Context) error {
	return r.publish(ctx, time.Now(), events.Started{Spec: r.job.Spec, Worker: r.by})
}

func (r *reporter) retrying(ctx context.Context, f *events.Failure, next time.Time) error {
	next = next.UTC().Truncate(time.Millisecond)
	return r.publish(ctx, time.Now(), events.Retrying{Failure: f, NextAttemptAt: next, Figures: r.figures()})
}

// ended reports how the ledger says that the run ended.
func (r *reporter) ended(ctx context.Context, o *postgres.Outcome) error {
	r.mu.Lock()
	r.at.Attempt = o.Attempt
	r.mu.Unlock()
	end, err := endOf(o)
	if err != nil {
		return err
	}
	return r.publish(ctx, o.At, end)
}

// endOf is what the history is to tell of an outcome.
func endOf(o *postgres.Outcome) (events.Payload, error) {
	switch o.State {
	case events.StateSucceeded:
		return events.Succeeded{Result: o.Result, Figures: o.Figures}, nil
	case events.StateFailed:
		return events.Failed{Failure: o.Failure, Figures: o.Figures}, nil
	case events.StateCancelled:
		return events.Cancelled{Figures: o.Figures}, nil
	}
	return nil, fmt.Errorf("the ledger has state %q as an outcome", o.State)
}

// publish appends an event to the history and returns once it is stored.
func (r *reporter) publish(ctx context.Context, at time.Time, data events.Payload) error {
	r.mu.Lock()
	r.at.Seq++
	position := r.at
	r.mu.Unlock()
	_, err := r.events.Publish(ctx, events.New(r.job.ID, position, at, r.by, data))
	return err
}
