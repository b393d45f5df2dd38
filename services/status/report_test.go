package status

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestReconcileAsksTheLedger holds it for ends that neither the documents nor the history know.
func TestReconcileAsksTheLedger(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	ledger := playIngester(t, n.Bus("ingester"))
	known := map[string]Document{}
	tellNow(ctx, t, b, "told", known, events.Created{Spec: jobSpec}, events.Failed{})
	tellNow(ctx, t, b, "running", known, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec})
	tellNow(ctx, t, b, "unsaid", known, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec})
	tellNow(ctx, t, b, "again", known, events.Created{Spec: jobSpec}, events.Failed{})
	publish(ctx, t, b, events.New("again", events.Position{Run: 2}, time.Now(), "test", events.Redriven{}))
	ledger.know("told", 1, time.Now(), events.Failed{})
	ledger.know("running", 1, time.Time{}, nil)
	ledger.know("unsaid", 1, time.Now(), events.Succeeded{})
	ledger.know("unheard", 3, time.Now(), events.Cancelled{}) // that is all that is left of it
	ledger.know("again", 1, time.Now(), events.Failed{})
	ledger.know("old", 1, time.Now().Add(-bus.EventsMaxAge), events.Succeeded{})
	start(ctx, t, n.Bus("status"), time.Hour)
	for id, want := range map[string]events.State{
		"told": events.StateFailed, "running": events.StateRunning, "unsaid": events.StateSucceeded, "unheard": events.StateCancelled,
		"again": events.StateQueued,
	} {
		awaitState(ctx, t, b, id, want)
	}
	if done := reconcile(ctx, t, b); done != (events.Reconciled{Complete: true}) {
		t.Errorf("again, it has done %+v", done)
	}
	ledger.expectTold(3) // of unsaid its end, of unheard its start, too
	if _, code := ask[events.Status](ctx, t, b, events.SubjectStatusGet, events.Get{ID: "old"}); code != events.QueryNotFound {
		t.Errorf("what ended before the history begins is answered with %q", code)
	}
}

// TestReconcileWaitsForAnIngester holds that the ledger is asked again until it could be read.
func TestReconcileWaitsForAnIngester(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b, quick := n.Bus("test"), Config{RepairAfter: time.Hour, QuietAfter: soon, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules()}
	startWith(ctx, t, n.Bus("status"), quick)
	known := map[string]Document{}
	tellNow(ctx, t, b, "unsaid", known, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec})
	awaitState(ctx, t, b, "unsaid", events.StateRunning)
	testenv.Eventually(ctx, t, "counting what is unchecked", func() error {
		if done := reconcile(ctx, t, b); done.Complete || done.Unchecked < 1 || done.Requeued > 0 {
			return fmt.Errorf("without an ingester, it has done %+v", done)
		}
		return nil
	})
	ledger := playIngester(t, n.Bus("ingester"), func(l *table) {
		l.refuse("503")
		l.know("unsaid", 1, time.Now(), events.Succeeded{})
	})
	testenv.Eventually(ctx, t, "a refusal", func() error {
		if done := reconcile(ctx, t, b); !done.Complete || done.Unchecked == 0 {
			return fmt.Errorf("with a refusal, it has done %+v", done)
		}
		return nil
	})
	ledger.refuse("")
	awaitState(ctx, t, b, "unsaid", events.StateSucceeded)
	checkQueue(ctx, t, b, 0)
}

// TestReconcileAfterTheLossOfEverything deletes all streams and sets them up again: what is left is the ledger.
func TestReconcileAfterTheLossOfEverything(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	stop := start(ctx, t, n.Bus("status"), time.Hour)
	known := map[string]Document{}
	tellNow(ctx, t, b, "loaded", known, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec}, events.Succeeded{})
	tellNow(ctx, t, b, "failed", known, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec})
	awaitDocuments(ctx, t, b, known)
	stop()
	b = loseStreams(ctx, t, n, b, bus.JobsStream, bus.EventsStream, "KV_jobs", "KV_control")
	ledger := playIngester(t, n.Bus("ingester"))
	ledger.know("loaded", 1, time.Now(), events.Succeeded{Result: events.Result{Table: "made"}})
	ledger.know("failed", 1, time.Now(), events.Failed{})
	start(ctx, t, n.Bus("status"), time.Hour)
	if s := awaitState(ctx, t, b, "loaded", events.StateSucceeded); s.Table != "made" || s.StartedAt == nil {
		t.Errorf("it looks %+v", s)
	}
	awaitState(ctx, t, b, "failed", events.StateFailed)
	ledger.expectTold(4)
}
