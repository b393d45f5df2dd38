package postgres_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// unfinished returns what the ledger has of the job, which must be unfinished.
func (w *world) unfinished() postgres.Unfinished {
	w.Helper()
	list, err := w.db.Unfinished(testenv.Context(w), "", 10)
	w.must(err)
	i := slices.IndexFunc(list, func(u postgres.Unfinished) bool { return u.JobID == w.job })
	if i < 0 {
		w.Fatalf("the job is not among %+v", list)
	}
	return list[i]
}

func TestUnfinishedInPages(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	ids := make([]string, 5)
	for i := range ids {
		ids[i] = uuid.NewString()
		w.job = ids[i]
		w.open(w.db, i+1)
	}
	w.job = uuid.NewString()
	load := w.prepared(w.db)
	w.publish(load, batch(0, 10, "a")) // ended
	slices.Sort(ids)
	var got []string
	for after, more := "", true; more; {
		page, err := w.db.Unfinished(ctx, after, 2)
		w.must(err)
		for _, u := range page {
			got, after = append(got, u.JobID), u.JobID
		}
		more = len(page) == 2
	}
	if !slices.Equal(got, ids) {
		t.Errorf("unfinished are %v, want %v", got, ids)
	}
}

func TestTakenOverRunIsSettled(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	living := w.prepared(w.db)
	w.commit(living, batch(0, 10, "a"))
	u := w.unfinished()
	if want := (postgres.Unfinished{JobID: w.job, Run: 1, Attempt: 1, Schema: "public", Fence: 1}); u != want {
		t.Errorf("unfinished is %+v, want %+v", u, want)
	}
	load, err := w.db.TakeOver(ctx, u)
	w.must(err)
	if load == nil || load.Fence() != 2 {
		t.Fatalf("taken over as %+v", load)
	}
	if err := living.Commit(ctx, batch(10, 20, "late")); !errors.Is(err, postgres.ErrFenceLost) {
		t.Errorf("the earlier worker commits: %v", err)
	}
	_, err = load.Fail(ctx, *events.Failf(events.CodeAbandoned, "gone"), events.Figures{}, time.Now())
	w.must(err)
	w.wantNothingLeft()
	outcome, err := w.db.Outcome(ctx, w.job, 1)
	w.must(err)
	if outcome == nil || outcome.Failure.Code != events.CodeAbandoned || outcome.Attempt != 1 {
		t.Errorf("the outcome is %+v", outcome)
	}
}

// TestOnlyWhatIsUnchangedIsTakenOver holds that whoever opened, ended or has locked the row since it was read keeps it.
func TestOnlyWhatIsUnchangedIsTakenOver(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"opened again": func(w *world) { w.open(w.db, 1) },
		"newer run":    func(w *world) { w.open(w.db, 2) },
		"committed":    func(w *world) { w.publish(w.prepared(w.db), batch(0, 10, "a")) },
		"failed": func(w *world) {
			_, err := w.open(w.db, 1).Fail(testenv.Context(w), *events.Failf(events.CodeNotCSV, "no"), events.Figures{}, time.Now())
			w.must(err)
		},
		"forgotten": func(w *world) { w.exec("DELETE FROM sluice.loads") },
		"locked by a batch": func(w *world) {
			tx, err := w.raw.Begin(testenv.Context(w))
			w.must(err)
			w.Cleanup(func() { _ = tx.Rollback(w.Context()) })
			_, err = tx.Exec(testenv.Context(w), "SELECT FROM sluice.loads FOR SHARE")
			w.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.prepared(w.db)
			u := w.unfinished()
			change(w)
			before := w.ledger()
			load, err := w.db.TakeOver(testenv.Context(t), u)
			w.must(err)
			if load != nil {
				t.Errorf("taken over with fence %d", load.Fence())
			}
			if after := w.ledger(); !slices.Equal(before, after) {
				t.Errorf("the ledger was\n%q, is\n%q", before, after)
			}
		})
	}
}

// TestOneOfManyTakesOver holds that of several that read the same one settles.
func TestOneOfManyTakesOver(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.prepared(w.db)
	u := w.unfinished()
	loads := make(chan *postgres.Load)
	for range 4 {
		go func() {
			load, err := w.db.TakeOver(ctx, u)
			if err != nil {
				t.Error(err)
			}
			loads <- load
		}()
	}
	won := 0
	for range 4 {
		if <-loads != nil {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d have taken it over", won)
	}
}
