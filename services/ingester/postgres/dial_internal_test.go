package postgres

import (
	"net"
	"testing"
)

// TestDeadServersAreNoticed holds that a connection has the options by which the system ends it once its server is gone.
func TestDeadServersAreNoticed(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	conn, err := dialer().DialContext(t.Context(), "tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	wantOptions(t, conn.(*net.TCPConn))
}
