package testenv

import (
	"net"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sluice/pkg/bus"
)

// NATS is a server with JetStream that belongs to one test and can be stopped and started again.
type NATS struct {
	t      testing.TB
	dir    string
	port   int
	server *server.Server
}

// StartNATS runs a NATS server for the test.
func StartNATS(t testing.TB) *NATS {
	t.Helper()
	n := &NATS{t: t, dir: t.TempDir(), port: server.RANDOM_PORT}
	n.Start()
	t.Cleanup(n.Stop)
	return n
}

// Start runs the server, on the port and with the store that it had before.
func (n *NATS) Start() {
	n.t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: n.port, JetStream: true, StoreDir: n.dir, NoSigs: true, NoLog: true,
	})
	if err != nil {
		n.t.Fatalf("making a NATS server: %v", err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		n.t.Fatal("the NATS server does not accept connections")
	}
	if addr, ok := s.Addr().(*net.TCPAddr); ok {
		n.port = addr.Port
	}
	n.server = s
}

// Stop ends the server.
func (n *NATS) Stop() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// Dir is where the server keeps what it stores.
func (n *NATS) Dir() string { return n.dir }

// URL is the server's address.
func (n *NATS) URL() string { return n.server.ClientURL() }

// Connect returns a connection that is closed at the end of the test.
func (n *NATS) Connect(name string) *nats.Conn {
	n.t.Helper()
	nc, err := bus.Connect(n.URL(), name)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(nc.Close)
	return nc
}

// Bus sets the streams and buckets up and binds to them.
func (n *NATS) Bus(name string) *bus.Bus {
	n.t.Helper()
	ctx := Context(n.t)
	nc := n.Connect(name)
	if err := bus.Setup(ctx, nc, 1); err != nil {
		n.t.Fatal(err)
	}
	b, err := bus.Bind(ctx, nc)
	if err != nil {
		n.t.Fatal(err)
	}
	return b
}
