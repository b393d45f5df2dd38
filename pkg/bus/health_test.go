package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestChecksNameWhatIsMissing(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	if err := errors.Join(b.CheckQueue(ctx), b.CheckDocuments(ctx)); err != nil {
		t.Fatalf("all is there: %v", err)
	}
	js, err := jetstream.New(b.Conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{bus.JobsStream, bus.EventsStream, "KV_" + bus.DocumentsBucket} {
		if err := js.DeleteStream(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	queue, documents := b.CheckQueue(ctx), b.CheckDocuments(ctx)
	if !errors.Is(queue, bus.ErrNotSetUp) || !strings.Contains(queue.Error(), "JOBS") || !strings.Contains(queue.Error(), "EVENTS") {
		t.Errorf("of the queue: %v", queue)
	}
	if !errors.Is(documents, bus.ErrNotSetUp) || !strings.Contains(documents.Error(), "bucket jobs") {
		t.Errorf("of the documents: %v", documents)
	}
	if err := bus.Setup(ctx, b.Conn, 1); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.CheckQueue(ctx), b.CheckDocuments(ctx)); err != nil {
		t.Errorf("all is there again: %v", err)
	}
	n.Stop()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := b.CheckQueue(ctx); err == nil || errors.Is(err, bus.ErrNotSetUp) {
		t.Errorf("without a server: %v", err)
	}
}
