package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func (w *world) leftovers() []postgres.Leftover {
	w.Helper()
	list, err := w.db.Leftovers(testenv.Context(w))
	w.must(err)
	return list
}

func (w *world) drop(l postgres.Leftover) bool {
	w.Helper()
	dropped, err := w.db.DropLeftover(testenv.Context(w), l)
	w.must(err)
	return dropped
}

// left makes a staging table as if it had been left behind by the job.
func (w *world) left() postgres.Leftover {
	w.Helper()
	w.exec("CREATE TABLE " + w.staging() + " (value text)")
	found := w.leftovers()
	if len(found) != 1 || found[0].JobID != w.job || found[0].Table != w.staging() || found[0].Schema != "public" {
		w.Fatalf("left behind is %+v", found)
	}
	return found[0]
}

func TestStagingTableWithoutARunIsDropped(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"unknown job": func(*world) {},
		"committed":   func(w *world) { w.publish(w.prepared(w.db), batch(0, 10, "a")) },
		"failed": func(w *world) {
			_, err := w.prepared(w.db).Fail(testenv.Context(w), *events.Failf(events.CodeNotCSV, "no"), events.Figures{}, time.Now())
			w.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			end(w)
			before := w.ledger()
			if !w.drop(w.left()) {
				t.Error("it is not dropped")
			}
			if after := w.ledger(); !slices.Equal(before, after) {
				t.Errorf("the ledger and the tables were\n%q, are\n%q", before, after)
			}
			if again := w.leftovers(); len(again) != 0 {
				t.Errorf("then there are %v", again)
			}
		})
	}
}

// TestBatchesOfAnUnknownJobGoWithItsTable holds that nothing stays that nobody would find again.
func TestBatchesOfAnUnknownJobGoWithItsTable(t *testing.T) {
	w := newWorld(t)
	w.commit(w.prepared(w.db), batch(0, 10, "a"))
	w.exec("DELETE FROM sluice.loads")
	found := w.leftovers()
	if len(found) != 1 || !w.drop(found[0]) {
		t.Errorf("of %v nothing is dropped", found)
	}
	w.wantNothingLeft()
}

// TestOnlyLeftoversAreFound holds that nothing is taken for a staging table that is none, or that a run needs.
func TestOnlyLeftoversAreFound(t *testing.T) {
	w := newWorld(t)
	w.prepared(w.db)
	w.exec(`CREATE TABLE sluice_staging_mine (value text)`)
	w.exec(`CREATE TABLE sluice_staging_00000000000000000000000000000000_2 (value text)`)
	w.exec(`CREATE TABLE "sluice_staging_0000000000000000000000000000000G" (value text)`)
	w.exec(`CREATE VIEW sluice_staging_00000000000000000000000000000001 AS SELECT 1`)
	if found := w.leftovers(); len(found) != 0 {
		t.Errorf("found are %+v", found)
	}
	other := uuid.NewString()
	w.exec("CREATE SCHEMA other")
	w.exec("CREATE TABLE other.sluice_staging_" + hex(other) + " (value text)")
	found := w.leftovers()
	if len(found) != 1 || found[0].Schema != "other" || found[0].JobID != other || !w.drop(found[0]) {
		t.Errorf("in another schema there are %+v", found)
	}
}

// TestStagingTableOfARunIsNotDropped holds that a table stays whose job was opened between being found and being dropped.
func TestStagingTableOfARunIsNotDropped(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"opened":              func(w *world) { w.exec("INSERT INTO sluice.loads VALUES ($1, 1, 1, 1, 'loading', 'public')", w.job) },
		"opened and prepared": func(w *world) { w.prepared(w.db) },
		"made anew by someone": func(w *world) {
			w.exec("DROP TABLE " + w.staging())
			w.exec("CREATE TABLE " + w.staging() + " (value text)")
		},
		"dropped by another sweep": func(w *world) { w.exec("DROP TABLE " + w.staging()) },
		"in use": func(w *world) {
			tx, err := w.raw.Begin(testenv.Context(w))
			w.must(err)
			w.Cleanup(func() { _ = tx.Rollback(w.Context()) })
			_, err = tx.Exec(testenv.Context(w), "INSERT INTO "+w.staging()+" VALUES ('a')")
			w.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			found := w.left()
			change(w)
			before := w.ledger()
			if w.drop(found) {
				t.Error("it is dropped")
			}
			if after := w.ledger(); !slices.Equal(before, after) {
				t.Errorf("the ledger and the tables were\n%q, are\n%q", before, after)
			}
		})
	}
}

// TestOpenerMeetsASweep holds that a worker that opens the job in the middle of a sweep loads all the same.
func TestOpenerMeetsASweep(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.left()
	tx, err := w.raw.Begin(ctx) // in the role of the sweep
	w.must(err)
	_, err = tx.Exec(ctx, "LOCK TABLE "+w.staging())
	w.must(err)
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		_, _, _ = w.db.Open(ctx, w.claim(1)) // may be told that the table is gone which it found in its way
	}()
	w.waitUntilBlocked("DROP TABLE")
	_, err = tx.Exec(ctx, "DROP TABLE "+w.staging())
	w.must(err)
	w.must(tx.Commit(ctx))
	<-opened
	w.publish(w.prepared(w.db), batch(0, 10, "a"))
	w.wantRows(w.name, "a")
}
