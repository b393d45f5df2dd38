package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestReplayEndsWhereItBegan holds that every event is read once, in order, and none of those that come meanwhile.
func TestReplayEndsWhereItBegan(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	if got := replayed(ctx, t, b, nil); len(got) != 0 {
		t.Errorf("of an empty stream %v are read", got)
	}
	publishRuns(ctx, t, b, 1, 3)
	for seq := 1; seq <= 40; seq++ { // more than are kept, so that the sequences have a gap
		e := newEvent(events.Position{Run: 1, Claim: 1, Seq: seq}, events.Progress{})
		if _, err := b.Events.Publish(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	got := replayed(ctx, t, b, func(read int) {
		if read == 2 {
			publishRuns(ctx, t, b, 4, 6)
		}
	})
	if len(got) != 19 || got[0] != 1 || got[2] != 3 || got[3] != 28 || got[18] != 43 {
		t.Errorf("read are %v", got)
	}
}

// TestReplayDoesNotWaitForWhatIsGone holds that it does not wait for an event that was the last one and has been removed.
func TestReplayDoesNotWaitForWhatIsGone(t *testing.T) {
	server, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := server.Bus("status")
	const more = 2000 // than are read ahead
	for n := range more {
		if _, err := b.Conn.RequestWithContext(ctx, fmt.Sprint("events.a.", n), nil); err != nil {
			t.Fatal(err)
		}
	}
	got := replayed(ctx, t, b, func(read int) {
		if read > 1 {
			return
		}
		stream, err := openJetStream(t, b).Stream(ctx, bus.EventsStream)
		if err == nil {
			err = stream.Purge(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if len(got) == 0 || len(got) == more {
		t.Errorf("%d events were read", len(got))
	}
}

// TestReplayCanBeLeft holds that nothing is left of one whose reader has seen enough, or whose context has ended.
func TestReplayCanBeLeft(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	publishRuns(ctx, t, b, 1, 3)
	for _, err := range b.Events.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	reading, end := context.WithCancel(ctx)
	defer end()
	var got error
	for _, err := range b.Events.All(reading) {
		end()
		got = err
	}
	if !errors.Is(got, context.Canceled) {
		t.Errorf("after its context has ended: %v", got)
	}
	testenv.Eventually(ctx, t, "leaving", func() error {
		if left := b.Conn.NumSubscriptions(); left > 1 { // the one for answers to the connection's own requests
			return fmt.Errorf("%d subscriptions are left", left)
		}
		return nil
	})
}

// replayed reads all events, telling meanwhile how many it has read, and returns their sequences.
func replayed(ctx context.Context, t testing.TB, b *bus.Bus, meanwhile func(read int)) (sequences []uint64) {
	t.Helper()
	for m, err := range b.Events.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		meta, err := m.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		sequences = append(sequences, meta.Sequence.Stream)
		if meanwhile != nil {
			meanwhile(len(sequences))
		}
	}
	return sequences
}

// publishRuns appends an event for each of some runs.
func publishRuns(ctx context.Context, t testing.TB, b *bus.Bus, first, last int) {
	t.Helper()
	for run := first; run <= last; run++ {
		e := newEvent(events.Position{Run: run}, events.Queued{Sequence: uint64(run)})
		if _, err := b.Events.Publish(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
}
