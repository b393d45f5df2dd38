package bus_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestRestoreBringsBackWhatIsLost holds it for a message whose id the server still remembers.
func TestRestoreBringsBackWhatIsLost(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	publishJob(ctx, t, b, newJob(1))
	if err := takeJob(ctx, t, b).DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	publishJob(ctx, t, b, newJob(1))
	wantQueued(ctx, t, b, events.Normal, 0) // it is taken for a copy
	for range 2 {
		if sequence, err := b.Jobs.Restore(ctx, newJob(1)); err != nil || sequence != 2 {
			t.Errorf("restored at %d (%v)", sequence, err)
		}
	}
	wantQueued(ctx, t, b, events.Normal, 1)
	if _, err := b.Jobs.Restore(ctx, newJob(2)); !errors.Is(err, bus.ErrOtherRun) {
		t.Errorf("run 2 while run 1 is queued: %v", err)
	}
}

func TestAllThatIsQueued(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	want := map[string]bool{}
	check := func() {
		t.Helper()
		got, err := b.Jobs.AllQueued(ctx)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("queued are %v (%v), want %v", got, err, want)
		}
	}
	check()
	for i, p := range []events.Priority{events.Normal, events.Normal, events.Urgent} {
		job := newJob(1)
		job.ID, job.Spec.Priority = fmt.Sprint("job-", i), p
		publishJob(ctx, t, b, job)
		want[job.ID] = true
		check()
	}
	m := takeJob(ctx, t, b)
	check() // it is with a worker
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	delete(want, "job-0")
	check()
	n.Stop()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := b.Jobs.AllQueued(ctx); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("without a server: %v", err)
	}
}
