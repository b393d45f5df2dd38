package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	maxPortTries   = 5                      // a free port may be taken before the server gets to it
	settleTries    = 50                     // how often a killed server's processes are waited for
	settleInterval = 100 * time.Millisecond // and how long each time
)

// Start runs the cluster in cfg.Dir, which it makes if there is none, and returns when the server accepts connections.
// The context bounds the start alone. Errors to decide on: *InUseError, *PortInUseError, *VersionError, ErrNoBinaries;
// any other failure of the server carries its own FATAL lines.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	h, err := locate(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if h.displaced {
		cfg.Log.Info("the server's user can't reach the Postgres directory, the data are kept elsewhere",
			"dir", cfg.Dir, "instead", h.dir, "user", h.account.name)
	}
	lock, err := acquire(h.lock(), cfg.Dir)
	if err != nil {
		return nil, err
	}
	s, err := h.start(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	go s.watch(lock)
	return s, nil
}

// start is Start under the lock.
func (h home) start(ctx context.Context, cfg Config) (*Server, error) {
	bins, err := h.binaries(cfg)
	if err != nil {
		return nil, err
	}
	if err := endOrphan(ctx, h.data(), cfg.Log); err != nil {
		return nil, err
	}
	if _, err := choosePort(cfg.Port); err != nil {
		return nil, err // said before the work of making a cluster
	}
	c := cluster{data: h.data(), account: h.account, bins: bins, template: cfg.Template, durable: cfg.durable()}
	if err := c.create(ctx); err != nil {
		return nil, err
	}
	password, err := os.ReadFile(filepath.Join(h.data(), passwordFile))
	if err != nil {
		return nil, fmt.Errorf("reading the database password: %w", err)
	}
	s := &Server{home: h, password: strings.TrimSpace(string(password)), done: make(chan struct{})}
	if err := s.launchPatiently(ctx, cfg, bins); err != nil {
		return nil, err
	}
	cfg.Log.Info("Postgres is running", "dir", h.data(), "port", s.port, "version", bins.Version)
	return s, nil
}

// binaries chooses the installation that fits the data, or what the data will be copied from.
func (h home) binaries(cfg Config) (Binaries, error) {
	found, err := findAll(cfg.BinDir, usualPlaces())
	if err != nil {
		return Binaries{}, err
	}
	if err := h.reachable(); err != nil {
		return Binaries{}, err
	}
	version, err := dataVersion(h.data())
	if err == nil && version == 0 && cfg.Template != "" {
		version, err = dataVersion(cfg.Template)
	}
	if err != nil {
		return Binaries{}, err
	}
	return pick(found, version, h.data())
}

// launchPatiently tries again what passes: a free port that somebody else was quicker to take, and the last processes
// of a killed server, which end by themselves as soon as they notice.
func (s *Server) launchPatiently(ctx context.Context, cfg Config, bins Binaries) error {
	tick := time.NewTicker(settleInterval)
	defer tick.Stop()
	for tries := 1; ; tries++ {
		err := s.launch(ctx, cfg, bins)
		taken := errors.As(err, new(*PortInUseError)) && cfg.Port == 0 && tries < maxPortTries
		settling := errors.Is(err, errStillAttached) && tries < settleTries
		if !taken && !settling {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}
