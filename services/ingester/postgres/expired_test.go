package postgres_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

const keep = 31 * 24 * time.Hour

func (w *world) expired() []postgres.Expired {
	w.Helper()
	list, err := w.db.Expired(testenv.Context(w), keep, 10)
	w.must(err)
	return list
}

// age moves what the ledger has of the job into the past.
func (w *world) age(opened, ended string) {
	w.Helper()
	w.exec("UPDATE sluice.loads SET opened_at = now() - $2::interval, ended_at = now() - $3::interval WHERE job_id = $1",
		w.job, opened, ended)
}

func (w *world) fail(run int) {
	w.Helper()
	_, err := w.open(w.db, run).Fail(testenv.Context(w), *events.Failf(events.CodeNotCSV, "no"), events.Figures{}, time.Now())
	w.must(err)
}

func TestOldEndsExpire(t *testing.T) {
	w := newWorld(t)
	w.fail(2)
	for _, tt := range []struct {
		opened, ended string
		want          bool
	}{
		{"0", "0", false},
		{"30 days", "30 days", false},
		{"32 days", "30 days", false}, // a long run
		{"1 hour", "32 days", false},  // by a worker whose clock is wrong
		{"32 days", "-1 hour", false}, // likewise
		{"32 days", "32 days", true},
		{"100 days", "32 days", true},
	} {
		w.age(tt.opened, tt.ended)
		want := []postgres.Expired{{JobID: w.job, Run: 2}}
		if got := w.expired(); tt.want && !slices.Equal(got, want) || !tt.want && len(got) != 0 {
			t.Errorf("opened %s and ended %s ago: %+v", tt.opened, tt.ended, got)
		}
	}
	w.exec("UPDATE sluice.loads SET state = 'loading'")
	if got := w.expired(); len(got) != 0 {
		t.Errorf("unfinished: %+v", got)
	}
}

// TestDatasetKeepsItsLedger holds that of a committed run the ledger is kept as long as its table.
func TestDatasetKeepsItsLedger(t *testing.T) {
	w := newWorld(t)
	w.publish(w.prepared(w.db), batch(0, 10, "a"))
	w.age("100 days", "100 days")
	if got := w.expired(); len(got) != 0 {
		t.Errorf("with its dataset: %+v", got)
	}
	w.exec("CREATE SCHEMA other")
	w.exec("ALTER TABLE " + w.name + " SET SCHEMA other")
	if got := w.expired(); len(got) != 1 {
		t.Errorf("without: %+v", got)
	}
}

func TestForgottenJobLeavesNothing(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	others := w.job
	w.fail(1)
	w.job = uuid.NewString()
	w.fail(1)
	for _, job := range []string{others, w.job} {
		w.exec("INSERT INTO sluice.batches VALUES ($1, 1, 1, 0, 10, 2, 1, 0)", job)
		w.exec("INSERT INTO sluice.rejects VALUES ($1, 1, 2, 0, NULL, NULL, 'nul_byte', '', '')", job)
	}
	forgotten, err := w.db.Forget(ctx, postgres.Expired{JobID: w.job, Run: 1})
	w.must(err)
	if !forgotten {
		t.Error("it is not forgotten")
	}
	for _, table := range []string{"loads", "batches", "rejects"} {
		w.wantList(table, []string{others}, "SELECT job_id::text FROM sluice."+table)
	}
}

// TestReopenedJobIsNotForgotten holds that a run stays that was opened after the old one was found.
func TestReopenedJobIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.fail(1)
	old := postgres.Expired{JobID: w.job, Run: 1}
	w.open(w.db, 2)
	for _, state := range []string{"loading", "failed"} {
		w.exec("UPDATE sluice.loads SET state = $1", state)
		if forgotten, err := w.db.Forget(ctx, old); err != nil || forgotten {
			t.Errorf("with a newer run that is %s: %t, %v", state, forgotten, err)
		}
	}
	w.exec("UPDATE sluice.loads SET state = 'loading'")
	if forgotten, err := w.db.Forget(ctx, postgres.Expired{JobID: w.job, Run: 2}); err != nil || forgotten {
		t.Errorf("unfinished: %t, %v", forgotten, err)
	}
}

func TestEndedInPages(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	want := make([]events.LedgerRun, 3)
	for i := range want {
		w.job = uuid.NewString()
		w.fail(i + 1)
		want[i] = events.LedgerRun{ID: w.job, Run: i + 1, State: events.StateFailed}
	}
	w.job = uuid.NewString()
	w.fail(1)
	w.age("40 days", "40 days") // the history has forgotten it
	if within, err := w.db.EndedWithin(ctx, 30*24*time.Hour, w.job); err != nil || within {
		t.Errorf("the old one has ended of late: %t, %v", within, err)
	}
	if within, err := w.db.EndedWithin(ctx, 30*24*time.Hour, want[0].ID); err != nil || !within {
		t.Errorf("the new one has not ended of late: %t, %v", within, err)
	}
	w.job = uuid.NewString()
	w.open(w.db, 1)
	slices.SortFunc(want, func(a, b events.LedgerRun) int { return strings.Compare(a.ID, b.ID) })
	var got []events.LedgerRun
	for after, more := "", true; more; {
		page, err := w.db.Ended(ctx, 30*24*time.Hour, after, 2)
		w.must(err)
		for _, run := range page {
			if after = run.ID; time.Since(run.EndedAt) > time.Hour {
				t.Errorf("ended at %s", run.EndedAt)
			}
			run.EndedAt = time.Time{}
			got = append(got, run)
		}
		more = len(page) == 2
	}
	if !slices.Equal(got, want) {
		t.Errorf("ended are %+v, want %+v", got, want)
	}
}

func TestEntry(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	if e, err := w.db.Entry(ctx, w.job); err != nil || e != nil {
		t.Errorf("of a job never opened: %+v, %v", e, err)
	}
	w.open(w.db, 2)
	e, err := w.db.Entry(ctx, w.job)
	w.must(err)
	if e.Run != 2 || e.State != events.StateRunning || e.Spec == nil || e.Spec.Schema != "public" || time.Since(e.OpenedAt) > time.Hour {
		t.Errorf("of an open job: %+v", e)
	}
	w.exec("UPDATE sluice.loads SET spec = NULL, state = 'committed'")
	e, err = w.db.Entry(ctx, w.job)
	w.must(err)
	if e.State != events.StateSucceeded || e.Spec != nil {
		t.Errorf("of an old job: %+v", e)
	}
}
