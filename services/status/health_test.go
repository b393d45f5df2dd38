package status

import (
	"errors"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestReadinessNeedsWhatItReadsAndWrites(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	config := DefaultConfig()
	config.Log = testenv.Log(t)
	s, err := New(config, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.check(ctx); err == nil {
		t.Error("it is ready before it has read the documents")
	}
	close(s.ready) // as Run does
	if err := s.check(ctx); err != nil {
		t.Errorf("it is not ready: %v", err)
	}
	for _, stream := range []string{"KV_" + bus.DocumentsBucket, bus.JobsStream} {
		if err := openJetStream(t, b).DeleteStream(ctx, stream); err != nil {
			t.Fatal(err)
		}
		if err := s.check(ctx); !errors.Is(err, bus.ErrNotSetUp) {
			t.Errorf("without %s: %v", stream, err)
		}
		if err := bus.Setup(ctx, b.Conn, 1); err != nil {
			t.Fatal(err)
		}
	}
}
