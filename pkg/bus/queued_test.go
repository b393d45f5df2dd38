package bus_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestQueuedUntilAcknowledged(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	wantQueued(ctx, t, b, events.Normal, 0)
	publishJob(ctx, t, b, newJob(2))
	wantQueued(ctx, t, b, events.Normal, 2)
	wantQueued(ctx, t, b, events.Urgent, 0)
	m := takeJob(ctx, t, b)
	wantQueued(ctx, t, b, events.Normal, 2)
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	wantQueued(ctx, t, b, events.Normal, 0)
}

func TestQueuedSaysWhatCannotBeKnown(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	subject := events.JobSubject(events.Normal, jobID)
	if _, err := openJetStream(t, b).Publish(ctx, subject, []byte(`{"v":2}`)); err != nil {
		t.Fatal(err)
	}
	if _, found, err := b.Jobs.Queued(ctx, events.Normal, jobID); !errors.Is(err, events.ErrVersion) || found {
		t.Errorf("a message of a later version: %v, %v", found, err)
	}
	n.Stop()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, found, err := b.Jobs.Queued(ctx, events.Normal, jobID); !errors.Is(err, bus.ErrUnavailable) || found {
		t.Errorf("without a server: %v, %v", found, err)
	}
}

// wantQueued checks which run of the job is on the queue; 0: none.
func wantQueued(ctx context.Context, t testing.TB, b *bus.Bus, p events.Priority, run int) {
	t.Helper()
	got, found, err := b.Jobs.Queued(ctx, p, jobID)
	if err != nil {
		t.Fatal(err)
	}
	if found != (run > 0) || found && !reflect.DeepEqual(got, newJob(run)) {
		t.Errorf("queued as %s: %v %+v, want run %d", p, found, got, run)
	}
}
