package bus_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// follower is what a tail tells.
type follower struct {
	begun chan uint64
	told  chan uint64
	ended chan struct{}
}

func follow(ctx context.Context, b *bus.Bus) follower {
	f := follower{begun: make(chan uint64, 64), told: make(chan uint64, 64), ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		b.Events.Tail(ctx, "api", func(after, _ uint64) { f.begun <- after }, func(s bus.Stored) { f.told <- s.Sequence })
	}()
	return f
}

// TestTailOutlivesOutages holds that no event is missed or told twice, also when there was none before the outage.
func TestTailOutlivesOutages(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	publishEvent(ctx, t, b, 1)
	ctx, stop := context.WithCancel(ctx)
	f := follow(ctx, b)
	next(ctx, t, f.begun)
	for run := 2; run < 5; run++ {
		restart(ctx, t, n, b)
		want := publishEvent(ctx, t, b, run)
		if got := next(ctx, t, f.told); got != want {
			t.Fatalf("told of %d, want %d", got, want)
		}
	}
	stop()
	<-f.ended
	if len(f.told) > 0 {
		t.Errorf("also told of %d", <-f.told)
	}
}

// TestTailMissesNothingOnTheWay cuts the connection while an event is on it, at a server that goes on and takes the event
// for delivered.
func TestTailMissesNothingOnTheWay(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	proxy := testenv.StartProxy(t, "tcp", strings.TrimPrefix(n.URL(), "nats://"))
	far, err := bus.Await(ctx, "nats://"+proxy.Addr(), "api", func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Conn.Close)
	struck := proxy.CutAt("CONSUMER.MSG.NEXT", true)
	f := follow(ctx, far)
	next(ctx, t, f.begun)
	want := publishEvent(ctx, t, b, 1)
	<-struck
	if got := next(ctx, t, f.told); got != want {
		t.Errorf("told of %d, want %d", got, want)
	}
}

func TestTailReplacesItsConsumer(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	f := follow(ctx, b)
	next(ctx, t, f.begun)
	names := tails(ctx, t, b)
	if len(names) != 1 {
		t.Fatalf("the consumers are %v", names)
	}
	if err := openJetStream(t, b).DeleteConsumer(ctx, bus.EventsStream, names[0]); err != nil {
		t.Fatal(err)
	}
	want := publishEvent(ctx, t, b, 1)
	if got := next(ctx, t, f.told); got != want {
		t.Errorf("told of %d, want %d", got, want)
	}
	if again := tails(ctx, t, b); len(again) != 1 || slices.Equal(again, names) {
		t.Errorf("the consumers are %v, were %v", again, names)
	}
}

// TestTailOfARestoredHistory holds that sequences which begin again do not leave it waiting for the old ones.
func TestTailOfARestoredHistory(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	for run := 1; run <= 3; run++ {
		publishEvent(ctx, t, b, run)
	}
	f := follow(ctx, b)
	if after := next(ctx, t, f.begun); after != 3 {
		t.Errorf("begun behind %d", after)
	}
	if err := removeStream(bus.EventsStream)(ctx, openJetStream(t, b)); err != nil {
		t.Fatal(err)
	}
	if err := bus.Setup(ctx, b.Conn, 1); err != nil {
		t.Fatal(err)
	}
	if after := next(ctx, t, f.begun); after != 0 {
		t.Errorf("begun again behind %d", after)
	}
	publishEvent(ctx, t, b, 1)
	if got := next(ctx, t, f.told); got != 1 {
		t.Errorf("told of %d", got)
	}
}

func publishEvent(ctx context.Context, t testing.TB, b *bus.Bus, run int) uint64 {
	t.Helper()
	var sequence uint64
	testenv.Eventually(ctx, t, "publishing an event", func() (err error) {
		sequence, err = b.Events.Publish(ctx, newEvent(events.Position{Run: run}, events.Queued{}))
		return err
	})
	return sequence
}

// tails are the consumers of EVENTS that the fold does not use.
func tails(ctx context.Context, t testing.TB, b *bus.Bus) []string {
	t.Helper()
	stream, err := openJetStream(t, b).Stream(ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	list := stream.ConsumerNames(ctx)
	for name := range list.Name() {
		if strings.HasPrefix(name, "api-") {
			names = append(names, name)
		}
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}
