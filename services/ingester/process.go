package ingester

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
	"sluice/pkg/seal"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// awaitEvery is the pause between two looks for a database that is not ready yet.
const awaitEvery = 500 * time.Millisecond

// Settings are what an ingester as a process of its own is told by flags and environment.
type Settings struct {
	NATSURL     string
	PostgresURL string
	Worker      string
	Slots       int
	Connections int // to Postgres for each job; 0: as many as suit the server
	BatchBytes  int // of rows that are committed together
	Sources     SourceSettings
	OpsAddr     string
	SecretKey   string // by the environment only: the command line can be seen by everyone
}

// DefaultSettings returns the settings of a process without flags.
func DefaultSettings() Settings {
	return Settings{
		NATSURL: "nats://127.0.0.1:4222", Worker: defaultWorker(), Slots: 2, BatchBytes: defaultBatchBytes, OpsAddr: "127.0.0.1:0",
		Sources:   DefaultSourceSettings(),
		SecretKey: os.Getenv("SLUICE_SECRET_KEY"),
	}
}

// defaultWorker is a name that no other process has.
func defaultWorker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "ingester"
	}
	return strings.ToLower(host + "-" + rand.Text()[:8])
}

// Flags adds a flag for each setting.
func (s *Settings) Flags(f *pflag.FlagSet) {
	f.StringVar(&s.NATSURL, "nats-url", s.NATSURL, "the NATS server")
	f.StringVar(&s.PostgresURL, "postgres-url", s.PostgresURL, "the Postgres to load into")
	f.StringVar(&s.Worker, "worker", s.Worker, "the name of this process; no two at a time may share it")
	f.IntVar(&s.Slots, "slots", s.Slots, "jobs at once")
	f.IntVar(&s.Connections, "connections", s.Connections,
		"connections to Postgres for each job; 0: as many as suit the server")
	f.IntVar(&s.BatchBytes, "batch-bytes", s.BatchBytes, "how many bytes of rows are committed together")
	s.Sources.Flags(f)
	f.StringVar(&s.OpsAddr, "ops-addr", s.OpsAddr, "where /healthz, /readyz and /metrics are; port 0: a free one, logged")
}

// Run runs an ingester until ctx ends. It waits for NATS, for Postgres and for their set-up, and says so.
func (s *Settings) Run(ctx context.Context, log *slog.Logger) error {
	config := DefaultConfig(s.Worker)
	config.Slots, config.Connections, config.BatchBytes = s.Slots, s.Connections, s.BatchBytes
	config.Log = log.With("service", "ingester", "worker", s.Worker)
	s.Sources.Apply(&config)
	opener, sealer, err := s.check()
	if err != nil {
		return err
	}
	database, err := s.awaitDatabase(ctx, config.Log)
	if err != nil {
		return err
	}
	defer database.Close()
	b, err := bus.Await(ctx, s.NATSURL, "ingester", func(err error) { config.Log.Warn("waiting for NATS", "err", err) })
	if err != nil {
		return err
	}
	defer b.Conn.Close()
	worker, err := New(config, Parts{Bus: b, Database: database, Source: opener, Sealer: sealer})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return worker.Run(ctx) })
	group.Go(func() error {
		return daemon.Ops{Addr: s.OpsAddr, Log: config.Log, Ready: func(ctx context.Context) error {
			if !b.Conn.IsConnected() {
				return errors.New("NATS is not connected")
			}
			return database.Ping(ctx)
		}}.Run(ctx)
	})
	return group.Wait()
}

// check names the setting at fault.
func (s *Settings) check() (*source.Opener, seal.Sealer, error) {
	switch {
	case s.PostgresURL == "":
		return nil, seal.Sealer{}, errors.New("SLUICE_POSTGRES_URL (--postgres-url) must name the Postgres to load into")
	case s.Slots < 1 || s.Slots > 64:
		return nil, seal.Sealer{}, errors.New("SLUICE_SLOTS (--slots) must be 1 to 64")
	case s.Connections < 0 || s.Connections > postgres.MaxConnections:
		return nil, seal.Sealer{}, fmt.Errorf("SLUICE_CONNECTIONS (--connections) must be 0 to %d", postgres.MaxConnections)
	case s.BatchBytes < 1<<16:
		return nil, seal.Sealer{}, errors.New("SLUICE_BATCH_BYTES (--batch-bytes) must be at least 65536")
	case s.Worker == "":
		return nil, seal.Sealer{}, errors.New("SLUICE_WORKER (--worker) must not be empty")
	}
	opener, err := s.Sources.Opener(nil)
	if err != nil {
		return nil, seal.Sealer{}, err
	}
	sealer, err := seal.New(s.SecretKey)
	return opener, sealer, err
}

// awaitDatabase connects to a database that answers and is set up, as long as that may take.
func (s *Settings) awaitDatabase(ctx context.Context, log *slog.Logger) (*postgres.Database, error) {
	said := ""
	for {
		db, err := postgres.Open(ctx, s.PostgresURL, postgres.PoolSize(s.Slots, s.Connections))
		if err == nil {
			return db, nil
		}
		if err.Error() != said {
			said = err.Error()
			log.Warn("waiting for Postgres", "err", err)
		}
		select {
		case <-time.After(awaitEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
