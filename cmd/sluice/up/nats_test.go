package up

import (
	"log/slog"
	"path/filepath"
	"testing"
)

// TestLostStorageEndsTheRun holds that a server which has given up storing is noticed.
func TestLostStorageEndsTheRun(t *testing.T) {
	const free = "127.0.0.1:0"
	s, err := startNATS(Config{DataDir: filepath.Join(t.TempDir(), "data"), NATSAddr: free, MonitorAddr: free}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stopNATS(s)
	if err := s.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	if err := watchNATS(t.Context(), s); err == nil {
		t.Error("it goes on without storage")
	}
}
