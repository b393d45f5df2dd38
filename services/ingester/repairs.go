package ingester

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// Repairs tunes what a worker does about what others have left behind.
type Repairs struct {
	Reconcile time.Duration // how often unfinished runs in the ledger are looked at
	Sweep     time.Duration // how often staging tables and old ends in the ledger are
	Patience  time.Duration // how long something must have been as it is before it is repaired
	Keep      time.Duration // how long the ledger keeps a run after its end, if it left no dataset
}

// DefaultRepairs returns the settings for production.
func DefaultRepairs() Repairs {
	return Repairs{
		Reconcile: 30 * time.Second, Sweep: 10 * time.Minute, Patience: time.Minute, Keep: bus.EventsMaxAge + 24*time.Hour,
	}
}

// startRepairs answers questions about the ledger and about files, reconciles and sweeps until ctx ends, or stop is called.
func (s *Service) startRepairs(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	teller := teller{events: s.parts.Bus.Events, database: s.parts.Database, by: "ingester/" + s.config.Worker}
	answers := &answers{
		conn: s.parts.Bus.Conn, database: s.parts.Database, teller: teller, previewer: newPreviewer(s.config, s.parts), log: s.config.Log,
	}
	var service micro.Service
	err = bus.Patiently(ctx, s.waiting, func() (err error) {
		service, err = answers.serve(ctx)
		return err
	})
	if err != nil {
		cancel()
		return nil, err
	}
	reconciler := &reconciler{
		parts: s.parts, teller: teller, patience: s.config.Repairs.Patience, log: s.config.Log, stranded: newUnchanged[stranded](),
	}
	sweeper := newSweeper(s.parts, s.config.Repairs, s.config.Log)
	var work sync.WaitGroup
	work.Go(func() { repeat(ctx, "reconciling", s.config.Repairs.Reconcile, reconciler.pass, s.config.Log) })
	work.Go(func() { repeat(ctx, "sweeping", s.config.Repairs.Sweep, sweeper.pass, s.config.Log) })
	work.Go(func() {
		<-ctx.Done()
		_ = service.Stop() // at once, so that another ingester is asked; it fails only with the connection
	})
	return func() { cancel(); work.Wait() }, nil
}

// repeat calls pass now and then until ctx ends.
func repeat(ctx context.Context, what string, every time.Duration, pass func(context.Context) error, log *slog.Logger) {
	for {
		select {
		case <-time.After(jitter(every)):
		case <-ctx.Done():
			return
		}
		if err := pass(ctx); err != nil && ctx.Err() == nil {
			log.Warn("a repair broke off; trying again", "repair", what, "err", err)
		}
	}
}

// queued reports whether a job has a message on the queue, of whatever run.
func queued(ctx context.Context, jobs *bus.Jobs, jobID string) (bool, error) {
	for _, p := range events.Priorities() {
		if _, found, err := jobs.Queued(ctx, p, jobID); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// owned reports whether a register says that a worker has its run, or is to have it again.
func owned(r bus.Register) bool {
	return r.State == bus.Claimed || r.State == bus.Released || r.State == bus.Cancelling
}

// bound keeps a repair of one job from holding up all others.
func bound(ctx context.Context, jobID string, repair func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if err := repair(ctx); err != nil {
		return fmt.Errorf("job %s: %w", jobID, err)
	}
	return nil
}
