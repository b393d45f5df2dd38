package postgres_test

import (
	"slices"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// byEarlier lets steps be done as by an ingester of before datasets were kept: what is known of them stays as it was.
func (w *world) byEarlier(steps func()) {
	w.Helper()
	w.exec("CREATE TABLE sluice.kept AS TABLE sluice.datasets")
	steps()
	w.exec("DELETE FROM sluice.datasets; INSERT INTO sluice.datasets TABLE sluice.kept; DROP TABLE sluice.kept")
}

func (w *world) catchUp(wantComplete bool) {
	w.Helper()
	complete, err := w.db.RecordDatasets(testenv.Context(w), time.Time{})
	w.must(err)
	if complete != wantComplete {
		w.Errorf("all is recorded: %t, want %t", complete, wantComplete)
	}
}

// What earlier ingesters publish, beside newer ones, is found in the ledger.
func TestDatasetsOfEarlierIngesters(t *testing.T) {
	for name, tt := range map[string]struct {
		before, earlier, after func(w *world)
		want                   string
		job                    int // of the jobs, in their order, whose dataset it is
	}{
		"created":         {earlier: func(w *world) { w.as(events.Create, "1", "2") }, want: "public trips create t 2"},
		"made by appends": {earlier: func(w *world) { w.as(events.Append, "1"); w.as(events.Append, "2") }, want: "public trips append t", job: 1},
		"known, appended": {
			before:  func(w *world) { w.as(events.Create, "1") },
			earlier: func(w *world) { w.as(events.Append, "2") }, want: "public trips append t", job: 1,
		},
		"known, its ledger forgotten, appended": {
			before: func(w *world) {
				w.as(events.Create, "1")
				w.exec("DELETE FROM sluice.loads; UPDATE sluice.datasets SET loaded_at = now() - interval '32 days'")
			},
			earlier: func(w *world) { w.as(events.Append, "2") }, want: "public trips append t",
		},
		"known, replaced": {
			before:  func(w *world) { w.as(events.Create, "1") },
			earlier: func(w *world) { w.as(events.Replace, "2", "3") }, want: "public trips replace f 2", job: 1,
		},
		"another's": {
			earlier: func(w *world) { w.exec("CREATE TABLE trips (id text)"); w.as(events.Append, "1") }, want: "public trips append f",
		},
		"then appended by a newer one": {
			earlier: func(w *world) { w.as(events.Create, "1") },
			after:   func(w *world) { w.as(events.Append, "2") }, want: "public trips append t", job: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if tt.before != nil {
				tt.before(w)
			}
			w.byEarlier(func() { tt.earlier(w) })
			if tt.after != nil {
				tt.after(w)
			}
			jobs := w.list("SELECT job_id::text FROM sluice.loads ORDER BY committed_at")
			for range 2 {
				w.catchUp(true)
				w.wantList("datasets", []string{tt.want}, datasetsQuery)
				w.wantList("job", jobs[tt.job:tt.job+1], "SELECT job_id::text FROM sluice.datasets")
			}
		})
	}
}

// Nothing is recorded again that is gone, nor a table of others that is called like it.
func TestDroppedDatasetsStayForgotten(t *testing.T) {
	for name, gone := range map[string]func(w *world){
		"by the API": func(w *world) { w.must(w.db.Drop(testenv.Context(w), "public", "trips")) },
		"by the API, remade": func(w *world) {
			w.must(w.db.Drop(testenv.Context(w), "public", "trips"))
			w.exec("CREATE TABLE trips (id text)")
		},
		"by SQL":                func(w *world) { w.exec("DROP TABLE trips; DELETE FROM sluice.datasets") },
		"by SQL, remade":        func(w *world) { w.exec("DROP TABLE trips; CREATE TABLE trips (id text); DELETE FROM sluice.datasets") },
		"renamed":               func(w *world) { w.exec("ALTER TABLE trips RENAME TO renamed; DELETE FROM sluice.datasets") },
		"remade, then restored": func(w *world) { w.exec("DELETE FROM sluice.datasets; UPDATE sluice.loads SET ledger_oid = 1") },
		"of no known table": func(w *world) {
			w.exec("DELETE FROM sluice.datasets; UPDATE sluice.loads SET table_oid = NULL, ledger_oid = NULL")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.as(events.Create, "1")
			gone(w)
			w.catchUp(true)
			w.must(w.db.Migrate(testenv.Context(t)))
			w.wantList("datasets", nil, "SELECT table_name FROM sluice.datasets")
		})
	}
}

// A table that is being published or dropped is left for another time.
func TestDatasetsAreRecordedInTurn(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.byEarlier(func() {
		w.as(events.Create, "1")
		w.loaded(file{mode: events.Create, table: "other", columns: []string{"id"}, rows: []string{"1"}})
	})
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('sluice:public.trips', 0))")
	w.must(err)
	w.catchUp(false)
	w.wantList("datasets", []string{"public other create t 1"}, datasetsQuery)
	_, err = tx.Exec(ctx, "DROP TABLE trips")
	w.must(err)
	w.must(tx.Commit(ctx))
	w.catchUp(true)
	w.wantList("datasets", []string{"public other create t 1"}, datasetsQuery)
}

func TestRecordingLooksBackAsFarAsItIsTold(t *testing.T) {
	w := newWorld(t)
	w.byEarlier(func() { w.as(events.Create, "1") })
	complete, err := w.db.RecordDatasets(testenv.Context(t), time.Now().Add(time.Hour))
	w.must(err)
	if !complete || len(w.list(datasetsQuery)) > 0 {
		t.Errorf("recorded is %q, completely: %t", w.list(datasetsQuery), complete)
	}
	w.must(w.db.Migrate(testenv.Context(t)))
	if got := w.list(datasetsQuery); !slices.Equal(got, []string{"public trips create t 1"}) {
		t.Errorf("recorded is %q", got)
	}
}
