package status

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestReconcileFoldsLostDocumentsAgain deletes the bucket and sets it up again, while replicas run and while none does.
func TestReconcileFoldsLostDocumentsAgain(t *testing.T) {
	t.Parallel()
	for name, whileRunning := range map[string]bool{"while replicas run": true, "while none runs": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, ctx := testenv.StartNATS(t), testenv.Context(t)
			b := n.Bus("test")
			playIngester(t, n.Bus("ingester"))
			replicas := []*bus.Bus{n.Bus("status-a"), n.Bus("status-b")}
			stopA, stopB := start(ctx, t, replicas[0], time.Hour), start(ctx, t, replicas[1], time.Hour)
			want := map[string]Document{}
			for i, last := range []events.Payload{events.Queued{Sequence: 1}, events.Progress{}, events.Failed{}, events.Succeeded{}, events.Cancelled{}} {
				id := fmt.Sprint("job-", i)
				tellNow(ctx, t, b, id, want, events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec}, last)
			}
			awaitDocuments(ctx, t, b, want)
			awaitFold(ctx, t, b)
			if !whileRunning {
				stopA()
				stopB()
			}
			b = loseStreams(ctx, t, n, b, "KV_jobs")
			if whileRunning {
				if done := reconcile(ctx, t, b); !done.Complete || done.Reported+done.Requeued+done.Unchecked > 0 {
					t.Errorf("it has done %+v", done)
				}
			} else {
				start(ctx, t, n.Bus("status-a"), time.Hour)
				start(ctx, t, n.Bus("status-b"), time.Hour)
			}
			awaitDocuments(ctx, t, b, want)
			expectDivergent(ctx, t, b, want)
			if done := reconcile(ctx, t, b); done != (events.Reconciled{Complete: true}) {
				t.Errorf("again, it has done %+v", done)
			}
			tellNow(ctx, t, b, "job-0", want, events.Started{Spec: jobSpec}, events.Failed{})
			testenv.Eventually(ctx, t, "listing", func() error { // by the replica that was asked; the other one notices later
				page, code := ask[events.Page](ctx, t, b, events.SubjectStatusList, events.List{Limit: 10, State: events.StateFailed})
				if code != "" || len(page.Jobs) != 2 {
					return fmt.Errorf("listed are %+v (%s)", page.Jobs, code)
				}
				return nil
			})
		})
	}
}

// TestReconcileInParts holds that it does not matter how much of the history is folded at a time.
func TestReconcileInParts(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	want := publishJobs(ctx, t, b, 25)
	r := newReconciler(DefaultConfig(), b, newIndex(time.Now))
	r.now = func() time.Time { return noon }
	for _, r.part = range []int{1, 7, 1000} {
		for id := range want {
			if err := b.Documents.Purge(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.history(ctx); err != nil {
			t.Fatal(err)
		}
		expectDivergent(ctx, t, b, want)
		if done, err := r.history(ctx); err != nil || done != (events.Reconciled{}) {
			t.Errorf("again, it has done %+v (%v)", done, err)
		}
	}
}

// TestReconcileLeavesOldJobsForgotten holds that what retention has removed, or is about to, does not come back.
func TestReconcileLeavesOldJobsForgotten(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	r := newReconciler(DefaultConfig(), b, newIndex(time.Now))
	now := time.Now()
	r.now = func() time.Time { return now }
	for id, ended := range map[string]time.Time{
		"gone": now.Add(-r.age - time.Second), "soon": now.Add(-r.age + time.Minute), "kept": now.Add(-r.age + 2*retentionMargin),
	} {
		for seq, data := range []events.Payload{events.Created{Spec: jobSpec}, events.Started{Spec: jobSpec}, events.Failed{}} {
			publish(ctx, t, b, events.New(id, events.Position{Run: 1, Claim: min(seq, 1), Seq: seq}, ended, "test", data))
		}
	}
	publish(ctx, t, b, events.New("rest", events.Position{Run: 1, Claim: 1, Seq: 5}, now.Add(-r.age), "test", events.Progress{}))
	if done, err := r.history(ctx); err != nil || done != (events.Reconciled{Documents: 1}) {
		t.Errorf("it has done %+v (%v)", done, err)
	}
	for id, want := range map[string]bool{"gone": false, "soon": false, "rest": false, "kept": true} {
		if _, _, found, err := r.store.get(ctx, id); found != want || err != nil {
			t.Errorf("%s is there: %v (%v)", id, found, err)
		}
	}
	running := documentOf(events.New("gone", events.Position{Run: 1, Claim: 1}, now.Add(-2*r.age), "test", events.Started{Spec: jobSpec}), 1)
	if err := r.store.merge(ctx, "gone", running); err != nil {
		t.Fatal(err)
	}
	if done, err := r.history(ctx); err != nil || done.Documents != 1 {
		t.Errorf("a job that is still shown as running: %+v (%v)", done, err)
	}
}

// TestReconcileOverAnOutage holds that it goes on by itself when the history was away.
func TestReconcileOverAnOutage(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	known := map[string]Document{}
	tellNow(ctx, t, b, jobID, known, events.Created{Spec: jobSpec}, events.Failed{})
	config := DefaultConfig()
	config.Log, config.QuietAfter = testenv.Log(t), soon
	playIngester(t, n.Bus("ingester"))
	r := newReconciler(config, b, newIndex(time.Now))
	if err := openJetStream(t, b).DeleteStream(ctx, bus.EventsStream); err != nil {
		t.Fatal(err)
	}
	if _, err := r.all(ctx); err == nil {
		t.Error("it has compared all without a history")
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); r.run(running) }()
	tellNow(ctx, t, n.Bus("test"), "another", known, events.Created{Spec: jobSpec}, events.Failed{}) // it is set up again
	testenv.Eventually(ctx, t, "reconciling", func() error {
		_, _, found, err := r.store.get(ctx, "another")
		if err == nil && !found {
			err = errors.New("there is no document")
		}
		return err
	})
	stop()
	<-ended
	if done, err := r.all(ctx); err != nil || !done.Complete {
		t.Errorf("it has done %+v (%v)", done, err)
	}
}

// tellNow publishes what happens to a job now, and folds it into known.
func tellNow(ctx context.Context, t testing.TB, b *bus.Bus, id string, known map[string]Document, list ...events.Payload) {
	t.Helper()
	for _, data := range list {
		pos := events.Position{Run: 1}
		if data.Type() != events.TypeCreated && data.Type() != events.TypeQueued {
			pos.Claim, pos.Attempt, pos.Seq = 1, 1, 1
		}
		e := events.New(id, pos, time.Now(), "test", data)
		known[id] = fold(known[id], e, publish(ctx, t, b, e))
	}
}

// loseStreams deletes streams and sets them up again.
func loseStreams(ctx context.Context, t testing.TB, n *testenv.NATS, b *bus.Bus, names ...string) *bus.Bus {
	t.Helper()
	js, err := jetstream.New(b.Conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := js.DeleteStream(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	return n.Bus("test")
}

func reconcile(ctx context.Context, t testing.TB, b *bus.Bus) events.Reconciled {
	t.Helper()
	done, code := ask[events.Reconciled](ctx, t, b, events.SubjectStatusReconcile, events.Reconcile{})
	if code != "" {
		t.Fatalf("reconciling: refused with %s", code)
	}
	return done
}

func awaitState(ctx context.Context, t testing.TB, b *bus.Bus, id string, want events.State) (s events.Status) {
	t.Helper()
	testenv.Eventually(ctx, t, "job "+id+" is "+string(want), func() error {
		var code string
		if s, code = ask[events.Status](ctx, t, b, events.SubjectStatusGet, events.Get{ID: id}); s.State != want {
			return fmt.Errorf("it is %s %s", s.State, code)
		}
		return nil
	})
	return s
}
