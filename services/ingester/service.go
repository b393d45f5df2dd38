// Package ingester is the worker: it takes jobs off the queue, streams their files into Postgres and reports.
//
// The life of one job is [attempt.live] in attempt.go. It joins three parts that know neither NATS nor each other:
// source (bytes from somewhere), csv (records from bytes) and postgres (records into tables).
package ingester

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/seal"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// Config tunes a worker.
type Config struct {
	Worker      string        // names this process; no two at a time may share it
	Slots       int           // jobs at once
	MaxAttempts int           // attempts in a row that a run may spend without committing anything
	Backoff     time.Duration // before the second attempt, and twice as long before each further one
	JobTime     time.Duration // how long an attempt may take
	DrainTime   time.Duration // how long handing the jobs over may take at the end
	Connections int           // to the database for each job; 0: as many as suit the server
	BatchBytes  int           // a batch is committed at this size, or
	BatchTime   time.Duration // at this age
	Limits      csv.Limits    // of a file
	Repairs     Repairs
	Previews    Previews
	Log         *slog.Logger
}

const (
	defaultBatchBytes = 8 << 20
	defaultJobTime    = 24 * time.Hour
)

// DefaultConfig returns the settings for production, of a worker with the given name.
func DefaultConfig(worker string) Config {
	return Config{
		Worker:      worker,
		Slots:       2,
		MaxAttempts: 5,
		Backoff:     5 * time.Second,
		JobTime:     defaultJobTime,
		DrainTime:   4 * time.Second,
		BatchBytes:  defaultBatchBytes,
		BatchTime:   2 * time.Second,
		Limits:      csv.DefaultOptions().Limits,
		Repairs:     DefaultRepairs(),
		Previews:    DefaultPreviews(),
		Log:         slog.Default(),
	}
}

// Parts are what a worker joins.
type Parts struct {
	Bus      *bus.Bus
	Database *postgres.Database
	Source   *source.Opener
	Sealer   seal.Sealer
}

// Service is one worker process.
type Service struct {
	config  Config
	parts   Parts
	running *running
	ready   chan struct{}
}

// New returns a worker that is not running yet.
func New(config Config, parts Parts) (*Service, error) {
	if config.Worker == "" || config.Slots < 1 || config.MaxAttempts < 1 || config.BatchBytes < 1 ||
		config.Previews.AtOnce < 1 {
		return nil, errors.New("ingester: worker, slots, attempts, batch size and previews are needed")
	}
	return &Service{config: config, parts: parts, running: newRunning(), ready: make(chan struct{})}, nil
}

// Ready is closed once the worker takes jobs.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Run works until ctx ends. It then takes no more jobs, hands the running ones over, without spending an attempt of
// theirs, and returns within the drain time.
func (s *Service) Run(ctx context.Context) error {
	lanes, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer lanes.close()
	stopRepairs, err := s.startRepairs(ctx)
	if err != nil {
		return err
	}
	defer stopRepairs()
	leave, err := s.arrive(ctx)
	if err != nil {
		return err
	}
	defer leave()
	close(s.ready)

	jobs, drain := context.WithCancelCause(context.WithoutCancel(ctx))
	defer drain(errDraining)
	slots := make(chan struct{}, s.config.Slots)
	var work sync.WaitGroup
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			drain(errDraining)
			return s.await(&work)
		}
		msg, err := lanes.next(ctx)
		if err != nil { // only because ctx has ended
			drain(errDraining)
			return s.await(&work)
		}
		work.Go(func() {
			defer func() { <-slots }()
			s.take(jobs, msg)
		})
	}
}

// begin opens the lanes and watches the registers, as soon as NATS lets it.
func (s *Service) begin(ctx context.Context) (l *lanes, err error) {
	err = bus.Patiently(ctx, s.waiting, func() (err error) {
		l, err = openLanes(ctx, s.parts.Bus, s.config.Log)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = bus.Patiently(ctx, s.waiting, func() error { return s.parts.Bus.Registers.Watch(ctx, s.running.changed) })
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// arrive lets others see that this worker is there, as soon as NATS lets it.
func (s *Service) arrive(ctx context.Context) (leave func(), err error) {
	err = bus.Patiently(ctx, s.waiting, func() (err error) {
		leave, err = s.present(ctx)
		return err
	})
	return leave, err
}

func (s *Service) waiting(err error) { s.config.Log.Warn("waiting for NATS", "err", err) }

// await waits for the running jobs to be handed over. Those that are not in time are taken over when their lease ends.
func (s *Service) await(work *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(s.config.DrainTime):
		return fmt.Errorf("ingester: jobs were not handed over within %s; others take them when their lease ends", s.config.DrainTime)
	}
}
