package up

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/transcript"
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

// TestKilledNATS holds that a server which was killed says nothing of what it mends when it starts again.
func TestKilledNATS(t *testing.T) {
	const free = "127.0.0.1:0"
	var said transcript.Transcript
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	run := func(dir string) *server.Server {
		s, err := startNATS(Config{DataDir: dir, NATSAddr: free, MonitorAddr: free}, log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stopNATS(s) })
		return s
	}
	dir := filepath.Join(t.TempDir(), "data")
	s := run(dir)
	if err := setUpNATS(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	stopNATS(s) // which writes how the streams stand
	s = run(dir)
	b, err := openBus(t.Context(), s, "setup")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Conn.Close()
	if _, err := b.Documents.Put(t.Context(), "job", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	run(killed)
	if text := said.String(); !strings.Contains(text, "Stream state") || strings.Contains(text, "level=WARN") {
		t.Errorf("it says\n%s", text)
	}
	natsLog{log}.Warnf("Stream state checksum did not match")
	if !strings.Contains(said.String(), "level=WARN") {
		t.Error("it does not say what is worth a word")
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
