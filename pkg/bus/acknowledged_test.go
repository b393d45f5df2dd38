package bus_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestAcknowledgedMessagesAreRemoved holds that a message goes which a server that was killed has kept although it was acknowledged,
// that the job's next run then comes onto the queue, and that what waits or is with a worker stays.
func TestAcknowledgedMessagesAreRemoved(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("ingester")
	publishJob(ctx, t, b, newJob(1))
	rewind := n.Rewinder(bus.JobsStream)
	testenv.Eventually(ctx, t, "NATS is back", func() error { return b.CheckQueue(ctx) })
	if err := takeJob(ctx, t, b).DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	rewind()
	testenv.Eventually(ctx, t, "NATS is back", func() error { return b.CheckQueue(ctx) })
	if _, err := b.Jobs.Publish(ctx, newJob(2)); !errors.Is(err, bus.ErrOtherRun) {
		t.Fatalf("the next run: %v; the message is not there any more", err)
	}
	waiting, running := newJob(1), newJob(1)
	running.ID, waiting.ID = "019cad9d-77b8-7e92-b486-742b71270373", "019cad9d-77b8-7e92-b486-742b71270374"
	publishJob(ctx, t, b, running)
	taken := takeJob(ctx, t, b)
	publishJob(ctx, t, b, waiting)
	for _, want := range [][]string{{jobID}, nil} {
		gone, err := b.Jobs.RemoveAcknowledged(ctx)
		if err != nil || !slices.Equal(gone, want) {
			t.Errorf("removed are those of %q (%v), want %q", gone, err, want)
		}
	}
	if got := stored(ctx, t, b, bus.JobsStream); got != 2 {
		t.Errorf("%d messages are queued", got)
	}
	publishJob(ctx, t, b, newJob(2))
	if err := taken.DoubleAck(ctx); err != nil {
		t.Error(err)
	}
}

func TestAcknowledgedMessagesAreAskedForInVain(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("ingester")
	if err := openJetStream(t, b).DeleteConsumer(ctx, bus.JobsStream, string(events.Normal)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Jobs.RemoveAcknowledged(ctx); !errors.Is(err, jetstream.ErrConsumerNotFound) && !errors.Is(err, bus.ErrNotSetUp) {
		t.Errorf("without its lane: %v", err)
	}
	n.Stop()
	if _, err := b.Jobs.RemoveAcknowledged(ctx); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("without NATS: %v", err)
	}
}
