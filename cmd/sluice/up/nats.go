package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sluice/pkg/bus"
)

// natsTime bounds the start of the NATS server.
const natsTime = 10 * time.Second

// startNATS runs a NATS server in this process. Whatever it has acknowledged is on disk.
func startNATS(c Config) (*server.Server, error) {
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
		NoSigs: true, NoLog: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making the NATS server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(natsTime) {
		stopNATS(s)
		return nil, errors.New("the NATS server does not start; is its disk full?")
	}
	return s, nil
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

// setUpNATS creates the streams and buckets.
func setUpNATS(ctx context.Context, s *server.Server) error {
	nc, err := bus.Connect(s.ClientURL(), "setup", nats.InProcessServer(s))
	if err != nil {
		return err
	}
	defer nc.Close()
	return bus.Setup(ctx, nc, 1)
}
