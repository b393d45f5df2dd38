// Package status knows how every job stands. It folds the events that the other services write into one document per
// job, answers questions about them, and brings accepted jobs onto the queue that their creator left behind. What it
// knows it compares with the history, the ledger and the queue, and repairs what differs.
//
// Any number of replicas may run. Nothing in the documents is the only copy: they can be folded again from the events.
package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/sync/errgroup"

	"sluice/pkg/bus"
)

// identity is what events written by this service name as their writer.
const identity = "status"

// Config tunes the service.
type Config struct {
	// RepairAfter is how long an accepted job may be missing from the queue before status puts it there.
	RepairAfter time.Duration
	// QuietAfter is how long nothing may be heard of a job that has not ended, before it is looked for its message.
	QuietAfter time.Duration
	// Retention is how long the document of a job is kept after its end; no less than its events are.
	Retention time.Duration
	Uploads   UploadRules
	Log       *slog.Logger
}

// DefaultConfig returns the settings for production.
func DefaultConfig() Config {
	return Config{
		RepairAfter: 10 * time.Second, QuietAfter: 20 * time.Second, Retention: bus.EventsMaxAge,
		Uploads: DefaultUploadRules(), Log: slog.Default(),
	}
}

// Service is one replica of status.
type Service struct {
	config Config
	bus    *bus.Bus
	ready  chan struct{}
}

// New returns a replica that is not running yet.
func New(config Config, b *bus.Bus) (*Service, error) {
	if config.RepairAfter < time.Millisecond || config.QuietAfter < time.Millisecond ||
		config.Retention < bus.EventsMaxAge || !config.Uploads.valid() || config.Log == nil {
		return nil, errors.New("status: RepairAfter, QuietAfter, a Retention of no less than the events' age, Uploads and a Log are needed")
	}
	return &Service{config: config, bus: b, ready: make(chan struct{})}, nil
}

// Ready is closed once the replica answers.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Run serves until ctx ends or a part of it fails.
func (s *Service) Run(ctx context.Context) error {
	log := s.config.Log
	var consumer jetstream.Consumer
	err := bus.Patiently(ctx, s.waiting, func() (err error) {
		consumer, err = s.bus.Events.FoldConsumer(ctx)
		return err
	})
	if err != nil {
		return err
	}
	documents := store{kv: s.bus.Documents}
	index := newIndex(time.Now)
	reconciler := newReconciler(s.config, s.bus, index)
	reconciler.remade(ctx) // before the bucket is watched, so that a later one is known for another
	group, ctx := errgroup.WithContext(ctx)

	filled := make(chan struct{})
	group.Go(func() error {
		return bus.Patiently(ctx, s.waiting, func() error {
			return watch(ctx, s.bus, index, reconciler.rewatch, func() { close(filled) }, log)
		})
	})
	group.Go(func() error { return (&folder{consumer: consumer, store: documents, log: log}).run(ctx) })
	group.Go(func() error {
		r := retention{store: documents, index: index, age: s.config.Retention, every: time.Hour, now: time.Now, log: log}
		r.run(ctx)
		return nil
	})
	group.Go(func() error {
		select { // an index that is not filled yet would deny jobs that exist
		case <-ctx.Done():
			return nil
		case <-filled:
		}
		q := queries{bus: s.bus, store: documents, index: index, reconciler: reconciler, log: log}
		var service micro.Service
		err := bus.Patiently(ctx, s.waiting, func() (err error) {
			service, err = q.serve(ctx)
			return err
		})
		if err != nil {
			return err
		}
		close(s.ready)
		group.Go(func() error { reconciler.run(ctx); return nil })
		group.Go(func() error {
			newUploadSweeper(s.config, s.bus, index).run(ctx)
			return nil
		})
		(&repairer{bus: s.bus, index: index, after: s.config.RepairAfter, log: log}).run(ctx)
		if err := service.Stop(); err != nil {
			return fmt.Errorf("stopping the status service: %w", err)
		}
		return nil
	})
	return group.Wait()
}

func (s *Service) waiting(err error) { s.config.Log.Warn("waiting for NATS", "err", err) }
