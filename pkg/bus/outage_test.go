package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestOutageIsToldFast(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	written := replace(ctx, t, b.Registers, bus.Register{}, bus.Register{State: bus.Claimed})
	lost := b.Conn.StatusChanged(nats.RECONNECTING)
	n.Stop()
	await(ctx, t, lost)

	tests := []struct {
		name string
		call func() error
	}{
		{"publish a job", func() error { _, err := b.Jobs.Publish(ctx, newJob(1)); return err }},
		{"publish an event", func() error {
			_, err := b.Events.Publish(ctx, newEvent(events.Position{Run: 1}, events.Queued{}))
			return err
		}},
		{"publish a first event", func() error {
			_, err := b.Events.PublishFirst(ctx, newEvent(events.Position{Run: 1}, events.Created{}))
			return err
		}},
		{"read an event", func() error { _, _, _, err := b.Events.Last(ctx, jobID, events.TypeCreated); return err }},
		{"read all events", func() error {
			for _, err := range b.Events.All(ctx) {
				return err
			}
			return nil
		}},
		{"read the history", func() error { return readAll(ctx, b) }},
		{"find the end of the history", func() error { _, err := b.Events.LastSequence(ctx); return err }},
		{"read a register", func() error { _, err := b.Registers.Get(ctx, jobID); return err }},
		{"create a register", func() error {
			_, err := b.Registers.Replace(ctx, jobID, bus.Register{}, bus.Register{})
			return err
		}},
		{"replace a register", func() error { _, err := b.Registers.Replace(ctx, jobID, written, bus.Register{}); return err }},
		{"watch the registers", func() error { return b.Registers.Watch(ctx, func(string, bus.Register) {}) }},
		{"store an upload", func() error { _, err := b.Uploads.Put(ctx, "", "", strings.NewReader("a")); return err }},
		{"find an upload", func() error { _, err := b.Uploads.Info(ctx, uuid.NewString()); return err }},
		{"reserve an upload", func() error { return b.Uploads.Reserve(ctx, uuid.NewString(), jobID, time.Time{}) }},
		{"list the uploads", func() error { _, err := b.Uploads.All(ctx); return err }},
		{"remove an upload", func() error { return b.Uploads.Remove(ctx, bus.Upload{ID: uuid.NewString()}) }},
		{"find a lane", func() error { _, err := b.Jobs.Lane(ctx, events.Normal); return err }},
		{"find the fold", func() error { _, err := b.Events.FoldConsumer(ctx); return err }},
		{"set up", func() error { return bus.Setup(ctx, b.Conn, 1) }},
		{"bind", func() error { return rebind(ctx, b) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begun := time.Now()
			err := tt.call()
			if !errors.Is(err, bus.ErrUnavailable) || errors.Is(err, bus.ErrConflict) || errors.Is(err, bus.ErrNotSetUp) {
				t.Errorf("error %v, want that it is not available", err)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("told after %s", took)
			}
		})
	}
}

func TestMissingStreamIsUnavailable(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	if err := removeStream(bus.EventsStream)(ctx, openJetStream(t, b)); err != nil {
		t.Fatal(err)
	}
	_, err := b.Events.Publish(ctx, newEvent(events.Position{Run: 1}, events.Queued{}))
	if !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("publishing to a stream that is gone: %v", err)
	}
}

func TestHandlesOutliveAnOutage(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	sequence := publishJob(ctx, t, b, newJob(1))
	restart(ctx, t, n, b)
	testenv.Eventually(ctx, t, "publishing again", func() error {
		again, err := b.Jobs.Publish(ctx, newJob(1))
		if err == nil && again != sequence {
			t.Fatalf("the job is at %d after the outage, was at %d", again, sequence)
		}
		return err
	})
}

// TestWatchOutlivesOutages holds that no write is missed that someone else makes while the watcher is cut off, however
// often and however long that is.
func TestWatchOutlivesOutages(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	var register bus.Register
	seen, others := make(chan bus.Register, 64), make(chan bus.Register, 64)
	err := b.Registers.Watch(ctx, func(id string, r bus.Register) {
		if id == jobID {
			seen <- r
		} else {
			others <- r
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Registers.Replace(ctx, "another", register, register); err != nil {
		t.Fatal(err)
	}
	for round := 1; round <= 3; round++ {
		register = replace(ctx, t, b.Registers, register, bus.Register{State: bus.Claimed, Claim: round})
		expect(ctx, t, seen, register)
		restart(ctx, t, n, b)
		testenv.Eventually(ctx, t, "writing after the outage", func() error {
			written, err := b.Registers.Replace(ctx, jobID, register, bus.Register{State: bus.Cancelling, Claim: round})
			if errors.Is(err, bus.ErrConflict) { // the write before was done, only its answer was lost
				written, err = b.Registers.Get(ctx, jobID)
			}
			if err == nil {
				register = written
			}
			return err
		})
		expect(ctx, t, seen, register)
	}
	if len(others) != 1 {
		t.Errorf("a register that was written once was told %d times", len(others))
	}
}

// expect waits until the register was told, and fails if one was told that is older than another before.
func expect(ctx context.Context, t testing.TB, seen <-chan bus.Register, want bus.Register) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // sooner than the client itself would notice
	defer cancel()
	if got := next(ctx, t, seen); got != want {
		t.Fatalf("told of %+v, want %+v", got, want)
	}
}

func restart(ctx context.Context, t testing.TB, n *testenv.NATS, b *bus.Bus) {
	t.Helper()
	lost, back := b.Conn.StatusChanged(nats.RECONNECTING), b.Conn.StatusChanged(nats.CONNECTED)
	n.Stop()
	await(ctx, t, lost)
	n.Start()
	await(ctx, t, back)
}

func await(ctx context.Context, t testing.TB, status <-chan nats.Status) {
	t.Helper()
	select {
	case <-status:
	case <-ctx.Done():
		t.Fatal("the connection's status did not change")
	}
}
