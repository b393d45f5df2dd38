package status

import (
	"errors"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

func TestRetentionRemovesOnlyWhatEndedLongAgo(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	documents := store{kv: b.Documents}
	x := newIndex(time.Now)
	for id, p := range map[string]events.Payload{
		"ended": events.Failed{}, "running": events.Started{Spec: newSpec(events.Normal)}, "created": events.Created{Spec: newSpec(events.Normal)},
	} {
		e := events.New(id, events.Position{Run: 1, Claim: 1, Seq: 1}, noon, "test", p)
		d := fold(documentOf(events.New(id, events.Position{Run: 1}, noon, "test", events.Created{Spec: newSpec(events.Normal)}), 1), e, 2)
		if err := documents.merge(ctx, id, d); err != nil {
			t.Fatal(err)
		}
		x.put(id, d)
	}
	now := noon.Add(time.Hour)
	r := retention{store: documents, index: x, age: time.Hour, now: func() time.Time { return now }, log: testenv.Log(t)}

	r.sweep(ctx) // exactly as old as that, but not older
	if _, _, found, err := documents.get(ctx, "ended"); !found || err != nil {
		t.Fatalf("removed too early: %v", err)
	}
	now = now.Add(time.Second)
	r.sweep(ctx)
	for id, want := range map[string]bool{"ended": false, "running": true, "created": true} {
		if _, _, found, err := documents.get(ctx, id); found != want || err != nil {
			t.Errorf("%s is there: %v (%v)", id, found, err)
		}
	}
}

func TestRetentionSparesWhatHasNews(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	documents := store{kv: b.Documents}
	x := newIndex(time.Now)
	failed := documentOf(events.New("job", events.Position{Run: 1, Claim: 1}, noon, "test", events.Failed{}), 1)
	failed = fold(failed, events.New("job", events.Position{Run: 1}, noon, "test", events.Created{Spec: newSpec(events.Normal)}), 2)
	x.put("job", failed) // the index is behind: the job has been started again
	again := fold(failed, events.New("job", events.Position{Run: 2}, noon, "test", events.Redriven{}), 3)
	if err := documents.merge(ctx, "job", again); err != nil {
		t.Fatal(err)
	}
	r := retention{store: documents, index: x, age: time.Hour, now: func() time.Time { return noon.Add(2 * time.Hour) }, log: testenv.Log(t)}
	r.sweep(ctx)
	if _, _, found, err := documents.get(ctx, "job"); !found || err != nil {
		t.Errorf("a job that was started again is gone (%v)", err)
	}
}

func TestRemovedJobsLeaveTheAnswers(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	publish(ctx, t, b, event(0, 1, 1, 1, 1, events.Started{Spec: newSpec(events.Normal)}))
	publish(ctx, t, b, event(1, 1, 1, 1, 2, events.Failed{}))
	testenv.Eventually(ctx, t, "the job is known", func() error {
		if s, code := ask[events.Status](ctx, t, b, events.SubjectStatusGet, events.Get{ID: jobID}); s.State != events.StateFailed {
			return errors.New("it is " + string(s.State) + code)
		}
		return nil
	})
	if err := (store{kv: b.Documents}).remove(ctx, jobID, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "the job is forgotten", func() error {
		page, code := ask[events.Page](ctx, t, b, events.SubjectStatusList, events.List{Limit: 10})
		if code != "" || len(page.Jobs) != 0 {
			return errors.New("it is still listed")
		}
		return nil
	})
	if _, code := ask[events.Status](ctx, t, b, events.SubjectStatusGet, events.Get{ID: jobID}); code != events.QueryNotFound {
		t.Errorf("asked for, it is answered with %q", code)
	}
}
