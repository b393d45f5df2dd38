package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestGather holds that all who answer are heard, and that nobody is waited for longer than is said.
func TestGather(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	nc := n.Connect("api")
	gather := func(g bus.Gathering) []string {
		t.Helper()
		workers, err := bus.Gather[events.Worker](ctx, nc, events.SubjectIngesterWorkers, events.Workers{}, g)
		if err != nil {
			t.Fatal(err)
		}
		names := make([]string, len(workers))
		for i, w := range workers {
			names[i] = w.Name
		}
		slices.Sort(names)
		return names
	}
	patient := bus.Gathering{Time: time.Hour, Silence: time.Second, Most: 100}
	if names := gather(patient); len(names) != 0 {
		t.Errorf("without anyone there are %v", names)
	}
	answer := func(reply string) {
		t.Helper()
		worker := n.Connect("worker")
		if _, err := worker.Subscribe(events.SubjectIngesterWorkers, func(m *nats.Msg) {
			if err := m.Respond([]byte(reply)); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := worker.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	answer("{") // is passed over
	for i := range 5 {
		answer(fmt.Sprintf(`{"name":"w%d"}`, i))
	}
	if names := gather(patient); !slices.Equal(names, []string{"w0", "w1", "w2", "w3", "w4"}) {
		t.Errorf("there are %v", names)
	}
	if names := gather(bus.Gathering{Time: time.Hour, Silence: time.Hour, Most: 2}); len(names) != 2 {
		t.Errorf("of two there are %v", names)
	}
	if names := gather(bus.Gathering{Time: time.Second, Silence: time.Hour, Most: 100}); len(names) != 5 {
		t.Errorf("within a second there are %v", names)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := bus.Gather[events.Worker](gone, nc, events.SubjectIngesterWorkers, events.Workers{}, patient); !errors.Is(err, context.Canceled) {
		t.Errorf("for a caller that has gone: %v", err)
	}
	gather(patient) // by then the one before has been answered, too
	n.Stop()
	soon := bus.Gathering{Time: 50 * time.Millisecond, Silence: time.Hour, Most: 100}
	testenv.Eventually(ctx, t, "the loss of NATS is noticed", func() error {
		if _, err := bus.Gather[events.Worker](ctx, nc, events.SubjectIngesterWorkers, events.Workers{}, soon); !errors.Is(err, bus.ErrUnavailable) {
			return fmt.Errorf("answered with %w", err)
		}
		return nil
	})
}
