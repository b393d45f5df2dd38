package postgres_test

import (
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

func TestDropTakesWhatSluiceMade(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	for _, table := range []string{"trips", `x"; DROP TABLE trips; --`, `"quoted"`, "schön.er", "100%", strings.Repeat("n", 63)} {
		w.loaded(file{mode: events.Create, table: table, columns: []string{"id"}, rows: []string{"1"}})
	}
	for _, table := range []string{`x"; DROP TABLE trips; --`, `"quoted"`, "schön.er", "100%", strings.Repeat("n", 63), "trips"} {
		wantFailure(t, w.db.Drop(ctx, "public", table+"\x00"), events.CodeDatasetNotFound)
		wantFailure(t, w.db.Drop(ctx, "sluice", table), events.CodeDatasetNotFound)
		w.must(w.db.Drop(ctx, "public", table))
		wantFailure(t, w.db.Drop(ctx, "public", table), events.CodeDatasetNotFound)
	}
	w.wantTables()
	w.wantList("datasets", nil, "SELECT table_name FROM sluice.datasets")
	if rows := w.list("SELECT job_id::text FROM sluice.loads WHERE state = 'committed'"); len(rows) != 6 {
		t.Errorf("the ledger has %d jobs", len(rows))
	}
	w.as(events.Create, "1")
}

func TestDropLeavesWhatItMust(t *testing.T) {
	for name, tt := range map[string]struct {
		steps func(w *world)
		code  events.Code
		names string // in the message
	}{
		"never loaded":     {func(w *world) { w.exec("CREATE TABLE trips ()") }, events.CodeDatasetNotFound, "public.trips"},
		"not made":         {func(w *world) { w.exec("CREATE TABLE trips (id text)"); w.as(events.Append, "1") }, events.CodeDatasetNotOwned, "public.trips"},
		"remade by others": {func(w *world) { w.as(events.Create, "1"); w.exec("DROP TABLE trips; CREATE TABLE trips (id text)") }, events.CodeDatasetNotFound, ""},
		"a view":           {func(w *world) { w.as(events.Create, "1"); w.exec("CREATE VIEW seen AS SELECT * FROM trips") }, events.CodeDependentsExist, "seen"},
		"a foreign key": {func(w *world) {
			w.as(events.Upsert, "1")
			w.exec("CREATE TABLE legs (trip text REFERENCES trips)")
		}, events.CodeDependentsExist, "legs"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.steps(w)
			before := w.list("SELECT oid::text FROM pg_class WHERE relname = 'trips'")
			got := wantFailure(t, w.db.Drop(testenv.Context(t), "public", "trips"), tt.code)
			if !strings.Contains(got.Message, tt.names) {
				t.Errorf("the message is %q", got.Message)
			}
			w.wantList("the table", before, "SELECT oid::text FROM pg_class WHERE relname = 'trips'")
		})
	}
}

// A table that others have locked is not waited for for long, and neither is a job that publishes into it.
func TestDropDoesNotWaitLong(t *testing.T) {
	for name, lock := range map[string]string{
		"a reader": "LOCK TABLE trips IN ACCESS SHARE MODE",
		"a job":    "SELECT pg_advisory_xact_lock(hashtextextended('sluice:public.trips', 0))",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			w.as(events.Create, "1")
			tx, err := w.raw.Begin(ctx)
			w.must(err)
			defer func() { _ = tx.Rollback(ctx) }()
			_, err = tx.Exec(ctx, lock)
			w.must(err)
			wantFailure(t, w.db.Drop(ctx, "public", "trips"), events.CodeTableBusy)
			w.must(tx.Rollback(ctx))
			w.must(w.db.Drop(ctx, "public", "trips"))
		})
	}
}

// A job that publishes while a drop waits for it comes first; what it has loaded is dropped with the table.
func TestDropWaitsForItsTurn(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.as(events.Create, "1")
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "LOCK TABLE trips IN EXCLUSIVE MODE") // for which the job waits in its turn
	w.must(err)
	loaded, dropped := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := file{mode: events.Append, columns: []string{"id"}, rows: []string{"2"}}.loadBy(ctx, w.db)
		loaded <- err
	}()
	w.waitUntilBlocked("LOCK TABLE")
	go func() { dropped <- w.db.Drop(ctx, "public", "trips") }()
	w.waitUntilBlocked("pg_advisory_xact_lock")
	w.must(tx.Rollback(ctx))
	w.must(<-loaded)
	w.must(<-dropped)
	w.wantTables()
	w.wantList("jobs", []string{"committed", "committed"}, "SELECT state FROM sluice.loads")
}
