package up

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// TestLostStorageEndsTheRun holds that a server which has given up storing is noticed.
func TestLostStorageEndsTheRun(t *testing.T) {
	s := anyNATS(t)
	if err := s.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	if err := watchNATS(t.Context(), s); err == nil {
		t.Error("it goes on without storage")
	}
}

// TestUploadsLeaveRoom holds that uploads cannot take all that the server may store.
func TestUploadsLeaveRoom(t *testing.T) {
	s := anyNATS(t)
	if err := setUpNATS(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), bus.UploadsStream)
	if err != nil {
		t.Fatal(err)
	}
	if limit, all := stream.CachedInfo().Config.MaxBytes, s.JetStreamConfig().MaxStore; limit != all/2 || limit <= 0 {
		t.Errorf("uploads may take %d of %d bytes", limit, all)
	}
}

// anyNATS is a server on free ports.
func anyNATS(t *testing.T) *server.Server {
	t.Helper()
	const free = "127.0.0.1:0"
	s, err := startNATS(Config{DataDir: filepath.Join(t.TempDir(), "data"), NATSAddr: free, MonitorAddr: free}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopNATS(s) })
	return s
}
