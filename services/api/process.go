package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
	"sluice/pkg/seal"
	"sluice/services/api/dataset"
)

// Settings are what the API as a process of its own is told by flags and environment.
type Settings struct {
	Addr        string
	RequireKeys bool
	WithoutKeys bool
	NATSURL     string
	PostgresURL string // of a role that can read datasets; empty: they are not read
	OpsAddr     string
	UploadBytes int64
	SecretKey   string // by the environment only: the command line can be seen by everyone
}

// DefaultSettings returns the settings of a process without flags.
func DefaultSettings() Settings {
	return Settings{
		Addr: "127.0.0.1:3000", NATSURL: "nats://127.0.0.1:4222", OpsAddr: "127.0.0.1:0",
		UploadBytes: defaultUploadBytes, SecretKey: os.Getenv("SLUICE_SECRET_KEY"),
	}
}

// Flags adds a flag for each setting.
func (s *Settings) Flags(f *pflag.FlagSet) {
	f.StringVar(&s.Addr, "api-addr", s.Addr, "where the API listens")
	f.BoolVar(&s.RequireKeys, "require-keys", s.RequireKeys, "ask for keys on a loopback address, too")
	f.BoolVar(&s.WithoutKeys, "without-keys", s.WithoutKeys,
		"let whoever reaches the address use the API without a key, although it is not a loopback address")
	f.StringVar(&s.NATSURL, "nats-url", s.NATSURL, "the NATS server")
	f.StringVar(&s.PostgresURL, "postgres-url", s.PostgresURL,
		"the Postgres to read datasets from, by role sluice_reader, which can do nothing else; without it they are not to be had")
	f.StringVar(&s.OpsAddr, "ops-addr", s.OpsAddr, "where /healthz, /readyz and /metrics are; port 0: a free one, logged")
	f.Int64Var(&s.UploadBytes, "upload-bytes", s.UploadBytes, "how many bytes a file may have that is uploaded")
}

// Run runs a replica until ctx ends. It waits for NATS and its set-up, and says so.
func (s *Settings) Run(ctx context.Context, log *slog.Logger) error {
	config := DefaultConfig()
	config.Log = log.With("service", "api")
	config.LocalOnly, config.UploadBytes = Loopback(s.Addr), s.UploadBytes
	if s.UploadBytes < 1 {
		return errors.New("SLUICE_UPLOAD_BYTES (--upload-bytes) must be at least 1")
	}
	asks, err := AsksForKeys(s.Addr, s.RequireKeys, s.WithoutKeys)
	if err != nil {
		return err
	}
	config.RequireKeys = asks
	sealer, err := seal.New(s.SecretKey)
	if err != nil {
		return err
	}
	if s.PostgresURL != "" {
		if config.Datasets, err = dataset.Open(dataset.Config{URL: s.PostgresURL}); err != nil {
			return fmt.Errorf("SLUICE_POSTGRES_URL (--postgres-url) cannot be used: %w", err)
		}
		defer config.Datasets.Close()
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listening on %s; is SLUICE_API_ADDR (--api-addr) in use or not this machine's? %w", s.Addr, err)
	}
	b, err := bus.Await(ctx, s.NATSURL, "api", func(err error) { config.Log.Warn("waiting for NATS", "err", err) })
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer b.Conn.Close()
	config.Log.Info("the API listens", "addr", listener.Addr().String(), "keys", config.keys())
	replica := New(config, b, sealer)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return replica.Run(ctx, listener) })
	group.Go(func() error {
		return daemon.Ops{Addr: s.OpsAddr, Log: config.Log, Ready: func(ctx context.Context) error {
			if !b.Conn.IsConnected() {
				return errors.New("NATS is not connected")
			}
			return b.CheckQueue(ctx)
		}}.Run(ctx)
	})
	return group.Wait()
}

// AsksForKeys reports whether an API at an address asks for keys: everywhere but on a loopback address, unless it is told otherwise.
func AsksForKeys(addr string, require, without bool) (bool, error) {
	if require && without {
		return false, errors.New("--require-keys and --without-keys contradict each other")
	}
	return require || !without && !Loopback(addr), nil
}

// Loopback reports whether only this machine reaches an address, host:port.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
