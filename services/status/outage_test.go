package status

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestOutages holds that a replica goes on by itself when the server comes back, and soon.
func TestOutages(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b, replica := n.Bus("test"), n.Bus("status")
	start(ctx, t, replica, time.Hour)
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
	for round := 1; round <= 2; round++ {
		before := event(round, round, 1, 1, 1, events.Started{Spec: jobSpec})
		publish(ctx, t, b, before)
		awaitListed(ctx, t, b, events.StateRunning, round)
		restart(ctx, t, n, b, replica)
		after := event(round, round, 1, 1, 2, events.Failed{})
		testenv.Eventually(ctx, t, "publishing after the outage", func() error {
			_, err := b.Events.Publish(ctx, after)
			return err
		})
		awaitListed(ctx, t, b, events.StateFailed, round)
	}
}

// TestListIsNotOlderThanTheConnection holds that a replica does not list what it knew before an outage, until it has read
// what others have written meanwhile.
func TestListIsNotOlderThanTheConnection(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	link := testenv.StartProxy(t, "tcp", strings.TrimPrefix(n.URL(), "nats://"))
	nc, err := bus.Connect("nats://"+link.Addr(), "status")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	replica, err := bus.Bind(ctx, nc)
	if err != nil {
		t.Fatal(err)
	}
	start(ctx, t, replica, time.Hour)
	for jobs := 1; jobs <= 10; jobs++ {
		link.Cut()
		testenv.Eventually(ctx, t, "cutting off", func() error {
			if _, err := list(ctx, b); !errors.Is(err, bus.ErrUnavailable) {
				return fmt.Errorf("answered with %w", err)
			}
			return nil
		})
		id := fmt.Sprint("job-", jobs)
		if err := (store{b.Documents}).merge(ctx, id, queuedJob(id, events.Normal, uint64(jobs))); err != nil {
			t.Fatal(err)
		}
		link.Restore()
		testenv.Eventually(ctx, t, "listing again", func() error {
			listed, err := list(ctx, b)
			if err != nil {
				return err
			}
			if len(listed) != jobs {
				t.Fatalf("%d jobs are listed, want %d", len(listed), jobs)
			}
			return nil
		})
	}
}

// list asks once, for a second: a question may be lost while a connection ends.
func list(ctx context.Context, b *bus.Bus) ([]events.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var page events.Page
	err := bus.Ask(ctx, b.Conn, events.SubjectStatusList, events.List{Limit: 100}, &page)
	return page.Jobs, err
}

// awaitListed waits until the job is answered and listed in a state: sooner than the client would notice by itself that
// its watch was forgotten.
func awaitListed(ctx context.Context, t testing.TB, b *bus.Bus, state events.State, run int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 7*time.Second)
	defer cancel()
	testenv.Eventually(ctx, t, "listing", func() error {
		page, code := ask[events.Page](ctx, t, b, events.SubjectStatusList, events.List{Limit: 10, State: state})
		if code != "" || len(page.Jobs) != 1 || page.Jobs[0].Run != run {
			return fmt.Errorf("run %d is not listed as %s: %+v (%s)", run, state, page.Jobs, code)
		}
		return nil
	})
	if s := get(ctx, t, b, 0); s.State != state || s.Run != run {
		t.Errorf("it looks %+v", s)
	}
}

func restart(ctx context.Context, t testing.TB, n *testenv.NATS, handles ...*bus.Bus) {
	t.Helper()
	var changes []chan nats.Status
	for _, b := range handles {
		changes = append(changes, b.Conn.StatusChanged(nats.RECONNECTING, nats.CONNECTED))
	}
	n.Stop()
	awaitStatus(ctx, t, nats.RECONNECTING, changes)
	n.Start()
	awaitStatus(ctx, t, nats.CONNECTED, changes)
}

func awaitStatus(ctx context.Context, t testing.TB, want nats.Status, changes []chan nats.Status) {
	t.Helper()
	for _, change := range changes {
		select {
		case got := <-change:
			if got != want {
				t.Fatalf("a connection is %s, want %s", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("a connection is not %s", want)
		}
	}
}
