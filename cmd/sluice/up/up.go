// Package up runs all of Sluice in one process: NATS with JetStream, a private Postgres, the three services and a server
// of sample files. It needs nothing but PostgreSQL binaries, and leaves nothing running.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/sync/errgroup"

	"sluice/pkg/seal"
)

const (
	startTime = 60 * time.Second // for everything to be up; a first start makes a database
	stopTime  = 5 * time.Second  // for the servers to end, once the services have
)

// Run runs all of it until ctx ends, and tells out what runs where once everything answers.
func Run(ctx context.Context, c Config, out io.Writer, log *slog.Logger) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	c.DataDir, err = filepath.Abs(c.DataDir)
	if err != nil {
		return fmt.Errorf("finding the data directory: %w", err)
	}
	if c.FilesDir == "" {
		c.FilesDir = c.ownFiles()
	}
	lock, err := lockDir(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()

	end := tellEnding(ctx, out)
	defer end.close()
	s, err := start(ctx, c, log, end)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	return s.serve(ctx, c, out, log)
}

// unlessEnded leaves out why a start failed that was called off.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// servers are what the services stand on.
type servers struct {
	api, files net.Listener
	nats       *server.Server
	database   database
	sealer     seal.Sealer
	end        *ending
}

// start opens the ports first, so that one in use is named at once, and then starts the servers side by side.
func start(ctx context.Context, c Config, log *slog.Logger, end *ending) (s *servers, err error) {
	s = &servers{end: end}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop(ctx))
		}
	}()
	if s.api, err = listen(c.APIAddr, "api-addr"); err != nil {
		return s, err
	}
	if s.files, err = listen(c.FilesAddr, "files-addr"); err != nil {
		return s, err
	}
	if s.sealer, err = openSealer(c.DataDir, c.SecretKey, log); err != nil {
		return s, err
	}
	if s.nats, err = startNATS(c, log); err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return setUpNATS(ctx, s.nats) })
	group.Go(func() error { return prepareFiles(c.FilesDir, c.FilesDir == c.ownFiles()) })
	group.Go(func() (err error) {
		s.database, err = openDatabase(ctx, c, log)
		return err
	})
	return s, group.Wait()
}

// stop ends what was started, in the opposite order.
func (s *servers) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	for _, l := range []net.Listener{s.api, s.files} {
		if l != nil {
			_ = l.Close() // most often closed already by its server
		}
	}
	if s.nats != nil {
		s.end.waitFor("NATS")
		stopNATS(s.nats)
	}
	s.end.waitFor("Postgres")
	return s.database.stop(ctx)
}

// serve runs the services until ctx ends or one of them fails.
func (s *servers) serve(ctx context.Context, c Config, out io.Writer, log *slog.Logger) error {
	services, err := s.open(ctx, c, log)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer services.close()
	group, ctx := errgroup.WithContext(ctx)
	services.run(ctx, group)
	group.Go(func() error { return serveFiles(ctx, s.files, c.FilesDir) })
	group.Go(func() error { return watchNATS(ctx, s.nats) })
	group.Go(func() error {
		select {
		case <-s.database.ended():
			return fmt.Errorf("the private Postgres has ended: %w", s.database.private.Err())
		case <-ctx.Done():
			return nil
		}
	})
	group.Go(func() error {
		if !services.ready(ctx) {
			return nil
		}
		return s.announcement(c).write(out)
	})
	return group.Wait()
}

func (s *servers) announcement(c Config) announcement {
	_, err := os.Stat(filepath.Join(c.FilesDir, sampleName))
	keys, _ := c.asksForKeys() // it was found to be valid
	return announcement{
		keys: keys,
		api:  s.api.Addr().String(), files: s.files.Addr().String(), nats: s.nats.ClientURL(),
		monitor: s.nats.MonitorAddr().String(), postgres: s.database.shown,
		dataDir: c.DataDir + s.database.elsewhere(c.DataDir), filesDir: c.FilesDir, sample: err == nil && c.Ingesters > 0,
		idle: c.Ingesters == 0, command: calledAs(os.Args[0]),
	}
}
