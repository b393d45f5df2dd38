package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestEventIsStoredOnce(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	e := newEvent(events.Position{Run: 1}, events.Queued{Sequence: 7})
	first, err := b.Events.Publish(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.Events.Publish(ctx, e)
	if err != nil || again != first {
		t.Errorf("the same event again is at %d (%v), the first is at %d", again, err, first)
	}
	next, err := b.Events.Publish(ctx, newEvent(events.Position{Run: 2}, events.Queued{Sequence: 8}))
	if err != nil || next != first+1 {
		t.Errorf("the event of the next run is at %d (%v)", next, err)
	}
	if got := stored(ctx, t, b, bus.EventsStream); got != 2 {
		t.Errorf("%d events are stored", got)
	}
}

func TestFirstEventIsTheOnlyFirst(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	e := newEvent(events.Position{Run: 1}, events.Created{RequestHash: "a"})
	if _, err := b.Events.PublishFirst(ctx, e); err != nil {
		t.Fatal(err)
	}
	for _, other := range []events.Event{e, newEvent(events.Position{Run: 1}, events.Created{RequestHash: "b"})} {
		if _, err := b.Events.PublishFirst(ctx, other); !errors.Is(err, bus.ErrConflict) {
			t.Errorf("a second first event: %v", err)
		}
	}
	got, sequence, found, err := b.Events.Last(ctx, jobID, events.TypeCreated)
	if err != nil || !found || sequence != 1 || !reflect.DeepEqual(got, e) {
		t.Errorf("stored is %+v at %d (%t, %v), want %+v", got, sequence, found, err, e)
	}
}

func TestNextEventFollowsTheLastOne(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	last := uint64(0)
	for run := 2; run < 5; run++ {
		e := newEvent(events.Position{Run: run}, events.Redriven{})
		sequence, err := b.Events.PublishNext(ctx, e, last)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Events.PublishNext(ctx, e, last); !errors.Is(err, bus.ErrConflict) {
			t.Errorf("run %d, behind the same event again: %v", run, err)
		}
		last = sequence
	}
}

// TestMissingEventIsStoredOnce holds that an event which was told and lost can be told again at once, by one of many.
func TestMissingEventIsStoredOnce(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	e := newEvent(events.Position{Run: 2}, events.Cancelled{})
	first := newEvent(events.Position{Run: 1}, events.Cancelled{})
	for _, told := range []events.Event{first, e} {
		if _, err := b.Events.Publish(ctx, told); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Events.PublishMissing(ctx, e, 1); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("one that was told since: %v", err)
	}
	if err := openStream(ctx, t, b).DeleteMsg(ctx, 2); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 4)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = b.Events.PublishMissing(ctx, e, 1) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, bus.ErrConflict) {
			t.Errorf("losing: %v", err)
		}
	}
	if got := stored(ctx, t, b, bus.EventsStream); got != 2 {
		t.Errorf("%d events are stored", got)
	}
}

func openStream(ctx context.Context, t testing.TB, b *bus.Bus) jetstream.Stream {
	t.Helper()
	stream, err := openJetStream(t, b).Stream(ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// TestMissingEventAndItsWorkers holds that an event is stored once that its worker tells, too, a moment later.
func TestMissingEventAndItsWorkers(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	e := newEvent(events.Position{Run: 1}, events.Cancelled{})
	sequence, err := b.Events.PublishMissing(ctx, e, 0)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.Events.Publish(ctx, e); err != nil || again != sequence {
		t.Errorf("told by its worker it is at %d (%v), before at %d", again, err, sequence)
	}
}

func TestLastEvent(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	if _, _, found, err := b.Events.Last(ctx, jobID, events.TypeQueued); found || err != nil {
		t.Errorf("of none: %t, %v", found, err)
	}
	for run := 1; run <= 3; run++ {
		e := newEvent(events.Position{Run: run}, events.Queued{Sequence: uint64(run)})
		if _, err := b.Events.Publish(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	got, sequence, found, err := b.Events.Last(ctx, jobID, events.TypeQueued)
	if err != nil || !found || sequence != 3 || got.Run != 3 {
		t.Errorf("the last is %+v at %d (%t, %v)", got, sequence, found, err)
	}
	if _, err := openJetStream(t, b).Publish(ctx, events.EventSubject(jobID, events.TypeFailed), []byte(`{"v":9}`)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := b.Events.Last(ctx, jobID, events.TypeFailed); !errors.Is(err, events.ErrVersion) {
		t.Errorf("of a later version: %v", err)
	}
}

func TestOnlyProgressIsThinned(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	if _, err := b.Events.PublishFirst(ctx, newEvent(events.Position{Run: 1}, events.Created{})); err != nil {
		t.Fatal(err)
	}
	for seq := 1; seq <= 40; seq++ {
		e := newEvent(events.Position{Run: 1, Claim: 1, Seq: seq}, events.Progress{})
		if _, err := b.Events.Publish(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if got := stored(ctx, t, b, bus.EventsStream); got != 17 {
		t.Errorf("%d events are stored, want created and the last 16 of progress", got)
	}
	if _, _, found, err := b.Events.Last(ctx, jobID, events.TypeCreated); !found || err != nil {
		t.Errorf("created is there: %t, %v", found, err)
	}
}

func newEvent(pos events.Position, data events.Payload) events.Event {
	return events.New(jobID, pos, noon, "api", data)
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
