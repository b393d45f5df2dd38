package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// Readers see the old rows until the commit and the new ones from then on, never others and never an error.
func TestReadersDuringReplacements(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	replacing := func(n int) file {
		rows := make([]string, 500)
		for i := range rows {
			rows[i] = fmt.Sprintf("%d|%d", i, n)
		}
		return file{mode: events.Replace, columns: []string{"id", "n"}, rows: rows}
	}
	w.loaded(replacing(0))
	w.exec("ALTER TABLE trips ADD PRIMARY KEY (id)")
	reading, stop := context.WithCancel(ctx)
	seen := make(chan error, 4)
	for range cap(seen) {
		conn, err := pgx.Connect(ctx, w.url)
		w.must(err)
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		go func() {
			last := 0
			for reading.Err() == nil {
				var rows, kinds, n int // the driver keeps the statement prepared
				err := conn.QueryRow(ctx, "SELECT count(*), count(DISTINCT n), max(n::int) FROM trips").Scan(&rows, &kinds, &n)
				if err == nil && (rows != 500 || kinds != 1 || n < last) {
					err = fmt.Errorf("%d rows, %d kinds, %d after %d", rows, kinds, n, last)
				}
				if last = n; err != nil {
					seen <- err
					return
				}
			}
			seen <- nil
		}()
	}
	for n := range 20 {
		w.loaded(replacing(n + 1))
	}
	stop()
	for range cap(seen) {
		if err := <-seen; err != nil {
			t.Error(err)
		}
	}
}

// A reader that began before keeps what it reads, and the replacement gives way to it, but takes place when it has ended.
func TestLongReaderIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1", "2"}}
	w.loaded(f)
	reader, err := w.raw.Begin(ctx)
	w.must(err)
	rows := func() (n int) {
		w.must(reader.QueryRow(ctx, "SELECT count(*) FROM trips").Scan(&n))
		return n
	}
	if n := rows(); n != 2 {
		t.Errorf("%d rows", n)
	}
	f.rows = []string{"3"}
	w.refused(f, events.CodeTableBusy)
	if n := rows(); n != 2 {
		t.Errorf("%d rows", n)
	}
	w.must(reader.Commit(ctx))
	w.loaded(f)
	w.wantTable("trips", "(3)")
}

// A table that readers use while its replacement is loaded and made ready is not locked before the end.
func TestReadersAreNotLockedOutWhileItLoads(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1"}}
	w.loaded(f)
	load, err := f.opened(ctx, w.db)
	w.must(err)
	w.must(load.Prepare(ctx, postgres.File{Columns: columns("id")}))
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "LOCK TABLE trips IN ACCESS EXCLUSIVE MODE NOWAIT") // nobody has any lock on it
	w.must(err)
	w.must(tx.Rollback(ctx))
	_, err = f.publishWith(ctx, load)
	w.must(err)
}

func TestReplacementsOfOneTableTakeTurns(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	const jobs = 8
	w.exec("CREATE TABLE trips (id int PRIMARY KEY); COMMENT ON TABLE trips IS 'kept'")
	ends := make(chan error, jobs)
	db := w.worker(w.url)
	for n := range jobs {
		go func() {
			f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{fmt.Sprint(n)}}
			if n%2 == 1 {
				f.mode = events.Append
			}
			_, err := f.loadBy(ctx, db)
			for hasCode(err, events.CodeTableBusy) {
				_, err = f.loadBy(ctx, db)
			}
			ends <- err
		}()
	}
	for range jobs {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	w.wantList("table", []string{"kept 1"}, `SELECT obj_description('trips'::regclass, 'pg_class') || ' ' ||
		(SELECT count(*) FROM pg_constraint WHERE conrelid = 'trips'::regclass AND contype = 'p')`)
	w.wantTables("trips")
}

// A session drops the table while a job waits for it: the job's next try makes it.
func TestTargetIsDropped(t *testing.T) {
	for _, mode := range []events.Mode{events.Append, events.Upsert} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			w.exec("CREATE TABLE trips (id text PRIMARY KEY)")
			tx, err := w.raw.Begin(ctx)
			w.must(err)
			_, err = tx.Exec(ctx, "DROP TABLE trips")
			w.must(err)
			f := file{mode: mode, columns: []string{"id"}, rows: []string{"1"}}
			if mode == events.Upsert {
				f.key = f.columns
			}
			ended := make(chan error, 1)
			go func() {
				_, err := f.loadBy(ctx, w.db)
				ended <- err
			}()
			w.waitUntilBlocked("LOCK TABLE")
			w.must(tx.Commit(ctx))
			wantFailure(t, <-ended, events.CodeTableBusy)
			w.loaded(f)
			w.wantTable("trips", "(1)")
		})
	}
}

// Whoever makes the table at the same moment is not in the way either.
func TestTargetIsCreated(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "CREATE TABLE trips (id int)")
	w.must(err)
	f := file{mode: events.Append, columns: []string{"id"}, rows: []string{"1"}}
	ended := make(chan error, 1)
	go func() {
		_, err := f.loadBy(ctx, w.db)
		ended <- err
	}()
	w.waitUntilBlocked("RENAME TO")
	w.must(tx.Commit(ctx))
	wantFailure(t, <-ended, events.CodeTableBusy)
	w.loaded(f)
	w.wantTable("trips", "(1)")
}

// A transaction that keeps one view of all tables, and began before, does not see the rows of a table that was exchanged; an
// addition it does not see either, and that is as it should be.
func TestSnapshotFromBefore(t *testing.T) {
	for mode, want := range map[events.Mode]int{events.Append: 2, events.Replace: 0} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			w.exec("CREATE TABLE trips (id int); INSERT INTO trips VALUES (1), (2)")
			tx, err := w.raw.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			w.must(err)
			defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
			_, err = tx.Exec(ctx, "SELECT 1")
			w.must(err)
			w.loaded(file{mode: mode, columns: []string{"id"}, rows: []string{"3", "4", "5"}})
			var n int
			w.must(tx.QueryRow(ctx, "SELECT count(*) FROM trips").Scan(&n))
			if n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
		})
	}
}

// Nor does it see more of a table that came into being by renaming than what of it was committed by then.
func TestSnapshotFromTheMiddle(t *testing.T) {
	for _, mode := range []events.Mode{events.Create, events.Replace} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			f := file{mode: mode, columns: []string{"id"}}
			load, err := f.opened(ctx, w.db)
			w.must(err)
			w.must(load.Prepare(ctx, postgres.File{Columns: columns("id")}))
			w.commit(load, batch(0, 10, "1", "2"))
			tx, err := w.raw.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			w.must(err)
			defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
			_, err = tx.Exec(ctx, "SELECT 1")
			w.must(err)
			w.publish(load, batch(10, 20, "3"))
			var n int
			w.must(tx.QueryRow(ctx, "SELECT count(*) FROM trips").Scan(&n))
			if n != 2 {
				t.Errorf("%d rows", n)
			}
		})
	}
}
