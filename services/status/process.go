package status

import (
	"context"
	"log/slog"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
)

// Settings are what status as a process of its own is told by flags and environment.
type Settings struct {
	NATSURL string
	OpsAddr string
}

// DefaultSettings returns the settings of a process without flags.
func DefaultSettings() Settings {
	return Settings{NATSURL: "nats://127.0.0.1:4222", OpsAddr: "127.0.0.1:0"}
}

// Flags adds a flag for each setting.
func (s *Settings) Flags(f *pflag.FlagSet) {
	f.StringVar(&s.NATSURL, "nats-url", s.NATSURL, "the NATS server")
	f.StringVar(&s.OpsAddr, "ops-addr", s.OpsAddr, "where /healthz, /readyz and /metrics are; port 0: a free one, logged")
}

// Run runs a replica until ctx ends. It waits for NATS and its set-up, and says so.
func (s *Settings) Run(ctx context.Context, log *slog.Logger) error {
	config := DefaultConfig()
	config.Log = log.With("service", "status")
	b, err := bus.Await(ctx, s.NATSURL, "status", func(err error) { config.Log.Warn("waiting for NATS", "err", err) })
	if err != nil {
		return err
	}
	defer b.Conn.Close()
	replica, err := New(config, b)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return replica.Run(ctx) })
	group.Go(func() error {
		return daemon.Ops{Addr: s.OpsAddr, Log: config.Log, Ready: replica.check}.Run(ctx)
	})
	return group.Wait()
}
