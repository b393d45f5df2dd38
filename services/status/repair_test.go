package status

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const soon = 50 * time.Millisecond

var jobSpec = newSpec(events.Normal)

func TestRepairQueuesWhatItsCreatorDidNot(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status-a"), soon)
	start(ctx, t, n.Bus("status-b"), soon)
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
	awaitQueued(ctx, t, b, jobID, 1, 1)
	checkQueue(ctx, t, b, 1)
	if s := get(ctx, t, b, 2); s.QueuePosition != 1 {
		t.Errorf("it looks %+v", s)
	}
}

func TestRepairLeavesQueuedJobsAlone(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
	sequence := publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Queued{Sequence: 4711}))
	start(ctx, t, n.Bus("status"), soon)
	get(ctx, t, b, sequence)
	publish(ctx, t, b, events.New("left", events.Position{Run: 1}, noon, "test", events.Created{Spec: jobSpec}))
	awaitQueued(ctx, t, b, "left", 1, 1) // by then the other would have been repaired, too
	checkQueue(ctx, t, b, 1)
}

func TestRepairWaitsForTheCreator(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	now := noon
	r := repairer{bus: b, index: newIndex(func() time.Time { return now }), after: time.Minute, log: testenv.Log(t)}
	r.index.put(jobID, documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}), 1))
	for range 2 {
		for _, job := range r.index.overdue(r.after) {
			r.requeue(ctx, job)
		}
		checkQueue(ctx, t, b, int(now.Sub(noon)/time.Minute))
		now = now.Add(time.Minute)
	}
}

func TestRepairMeetsACopyOfTheSameRun(t *testing.T) {
	tests := []struct {
		name  string
		queue func(context.Context, *bus.Bus, events.Job) error
	}{
		{"its creator ended before it could report", func(ctx context.Context, b *bus.Bus, job events.Job) error {
			_, err := b.Jobs.Publish(ctx, job)
			return err
		}},
		{"the server has forgotten its id", func(_ context.Context, b *bus.Bus, job events.Job) error {
			data, err := json.Marshal(job)
			if err != nil {
				return err
			}
			if err := b.Conn.Publish(events.JobSubject(job.Spec.Priority, job.ID), data); err != nil {
				return err
			}
			return b.Conn.Flush()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, ctx := testenv.StartNATS(t), testenv.Context(t)
			b := n.Bus("test")
			if _, err := b.Jobs.Publish(ctx, events.NewJob("another", 1, jobSpec)); err != nil {
				t.Fatal(err)
			}
			publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
			if err := tt.queue(ctx, b, events.NewJob(jobID, 1, jobSpec)); err != nil {
				t.Fatal(err)
			}
			start(ctx, t, n.Bus("status"), soon)
			awaitQueued(ctx, t, b, jobID, 1, 2)
			checkQueue(ctx, t, b, 2)
		})
	}
}

func TestRepairWaitsForTheRunBefore(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	if _, err := b.Jobs.Publish(ctx, events.NewJob(jobID, 1, jobSpec)); err != nil {
		t.Fatal(err)
	}
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
	publish(ctx, t, b, event(1, 1, 1, 1, 1, events.Failed{}))
	publish(ctx, t, b, event(2, 2, 0, 0, 0, events.Redriven{}))
	publish(ctx, t, b, events.New("left", events.Position{Run: 1}, noon, "test", events.Created{Spec: jobSpec}))
	start(ctx, t, n.Bus("status"), soon)
	awaitQueued(ctx, t, b, "left", 1, 2)
	checkQueue(ctx, t, b, 2)

	lane, err := b.Jobs.Lane(ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	m, err := lane.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	awaitQueued(ctx, t, b, jobID, 2, 3)
	checkQueue(ctx, t, b, 2)
}

// awaitQueued waits until EVENTS says that the run is queued, and where.
func awaitQueued(ctx context.Context, t testing.TB, b *bus.Bus, id string, run int, sequence uint64) {
	t.Helper()
	testenv.Eventually(ctx, t, "repairing", func() error {
		e, _, found, err := b.Events.Last(ctx, id, events.TypeQueued)
		if err != nil || !found || e.Run != run {
			return fmt.Errorf("run %d of job %s is not queued: %t, %v", run, id, found, err)
		}
		if e.Data != (events.Queued{Sequence: sequence}) {
			t.Fatalf("said to be queued: %+v", e)
		}
		return nil
	})
}

func checkQueue(ctx context.Context, t testing.TB, b *bus.Bus, want int) {
	t.Helper()
	stream, err := openJetStream(t, b).Stream(ctx, bus.JobsStream)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().State.Msgs; got != uint64(want) {
		t.Errorf("%d jobs are queued, want %d", got, want)
	}
}
