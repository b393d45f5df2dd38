package status

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestLostMessagesComeBack purges the queue, whose ids the server goes on to remember.
func TestLostMessagesComeBack(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b, quick := n.Bus("test"), Config{RepairAfter: time.Hour, QuietAfter: soon, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules()}
	ledger := playIngester(t, n.Bus("ingester"))
	startWith(ctx, t, n.Bus("status-a"), quick)
	startWith(ctx, t, n.Bus("status-b"), quick)
	known := map[string]Document{}
	for _, id := range []string{"queued", "running", "cancelling", "ended"} {
		sequence, err := b.Jobs.Publish(ctx, events.NewJob(id, 1, jobSpec))
		if err != nil {
			t.Fatal(err)
		}
		tellNow(ctx, t, b, id, known, events.Created{Spec: jobSpec}, events.Queued{Sequence: sequence})
	}
	tellNow(ctx, t, b, "running", known, events.Started{Spec: jobSpec})
	tellNow(ctx, t, b, "cancelling", known, events.Started{Spec: jobSpec}, events.CancelRequested{})
	tellNow(ctx, t, b, "ended", known, events.Started{Spec: jobSpec})
	ledger.know("running", 1, time.Time{}, nil)
	ledger.know("cancelling", 1, time.Time{}, nil)
	ledger.know("ended", 1, time.Now(), events.Failed{})
	jobs, err := openJetStream(t, b).Stream(ctx, bus.JobsStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	awaitState(ctx, t, b, "ended", events.StateFailed)
	testenv.Eventually(ctx, t, "restoring", func() error {
		queued, err := b.Jobs.AllQueued(ctx)
		if err != nil || len(queued) != 3 || queued["ended"] {
			return fmt.Errorf("queued are %v (%v)", queued, err)
		}
		return nil
	})
	for id, want := range map[string]events.State{
		"queued": events.StateQueued, "running": events.StateRunning, "cancelling": events.StateCancelling,
	} {
		awaitState(ctx, t, b, id, want)
	}
}

// TestRestoreBelievesTheHistoryFirst holds it for an end that was stored, but not folded.
func TestRestoreBelievesTheHistoryFirst(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	want := map[string]Document{}
	tellNow(ctx, t, b, jobID, want, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec})
	x, now := newIndex(func() time.Time { return noon }), noon.Add(time.Minute)
	x.put(jobID, want[jobID])
	x.now = func() time.Time { return now }
	tellNow(ctx, t, b, jobID, want, events.Succeeded{})
	config := DefaultConfig()
	config.Log = testenv.Log(t)
	if done, err := newReconciler(config, b, x).lost(ctx); err != nil || done != (events.Reconciled{Documents: 1}) {
		t.Errorf("it has done %+v (%v)", done, err)
	}
	expectDivergent(ctx, t, b, want)
	checkQueue(ctx, t, b, 0)
}
