package up

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sluice/pkg/bus"
)

// natsTime bounds the start of the NATS server.
const natsTime = 10 * time.Second

const (
	natsLookEvery = time.Second
	natsPatience  = 3 // looks that find it unwell before it is given up
)

// startNATS runs a NATS server in this process. Whatever it has acknowledged is on disk.
func startNATS(c Config, log *slog.Logger) (*server.Server, error) {
	host, port, err := natsAddr(c.NATSAddr, "nats-addr")
	if err != nil {
		return nil, err
	}
	monitorHost, monitorPort, err := natsAddr(c.MonitorAddr, "nats-monitor-addr")
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "sluice-up", Host: host, Port: port, HTTPHost: monitorHost, HTTPPort: monitorPort,
		JetStream: true, StoreDir: filepath.Join(c.DataDir, "nats"), SyncAlways: true,
		NoSigs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making the NATS server: %w", err)
	}
	s.SetLoggerV2(natsLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(natsTime) {
		stopNATS(s)
		return nil, errors.New("the NATS server does not start; is its disk full?")
	}
	return s, nil
}

// watchNATS fails when the server is not well for several looks in a row, and else returns when ctx ends. A stream that
// could not be written to, as on a full disk, takes nothing more until the server starts anew: to go on would be to accept
// nothing, to report nothing, and to say nothing about it.
func watchNATS(ctx context.Context, s *server.Server) error {
	look := time.NewTicker(natsLookEvery)
	defer look.Stop()
	for unwell := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		health := s.Healthz(&server.HealthzOptions{Details: true})
		if health.Status == "ok" {
			unwell = 0
			continue
		}
		if unwell++; unwell < natsPatience {
			continue
		}
		why := health.Error
		if len(health.Errors) > 0 {
			why = health.Errors[0].Error
		}
		return fmt.Errorf("NATS can store nothing more: %s; jobs that were accepted are kept: "+
			"remove the cause, such as a full disk, and start again", why)
	}
}

// natsLog hands what the server has to say about trouble to our log.
type natsLog struct{ log *slog.Logger }

func (l natsLog) Noticef(format string, v ...any) {
	l.log.Debug("NATS server", "says", fmt.Sprintf(format, v...))
}
func (l natsLog) Warnf(format string, v ...any) {
	level, text := slog.LevelWarn, fmt.Sprintf(format, v...)
	if slices.ContainsFunc(rebuilding(), func(part string) bool { return strings.Contains(text, part) }) {
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, "NATS server", "says", text)
}
func (l natsLog) Errorf(format string, v ...any) {
	l.log.Error("NATS server", "says", fmt.Sprintf(format, v...))
}
func (l natsLog) Fatalf(format string, v ...any) {
	l.log.Error("NATS server", "says", fmt.Sprintf(format, v...))
}
func (l natsLog) Debugf(string, ...any) {}
func (l natsLog) Tracef(string, ...any) {}

// rebuilding is what the server says when it was killed: it has not written how its streams stand, and finds that out from what they
// hold. Nothing is lost by it.
func rebuilding() []string {
	return []string{
		"Stream state outdated", "Stream state detected prior state", "Recovering stream state from index errored: prior state file",
		"TTL state is outdated",
	}
}

func stopNATS(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// natsAddr checks that the port is free, and spells a free one of choice as the server does.
func natsAddr(addr, flag string) (string, int, error) {
	if err := probe(addr, flag); err != nil {
		return "", 0, err
	}
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("reading --%s: %w", flag, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", 0, fmt.Errorf("reading --%s: %w", flag, err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// openBus connects one of the services.
func openBus(ctx context.Context, s *server.Server, name string) (*bus.Bus, error) {
	nc, err := bus.Connect(s.ClientURL(), name, nats.InProcessServer(s))
	if err != nil {
		return nil, err
	}
	b, err := bus.Bind(ctx, nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return b, nil
}

// setUpNATS creates the streams and buckets. Of what the server may store half is for uploads, so that queue and history have
// room when that is full.
func setUpNATS(ctx context.Context, s *server.Server) error {
	nc, err := bus.Connect(s.ClientURL(), "setup", nats.InProcessServer(s))
	if err != nil {
		return err
	}
	defer nc.Close()
	return bus.Topology{Replicas: 1, UploadBytes: s.JetStreamConfig().MaxStore / 2}.Setup(ctx, nc)
}
