package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// steps is whatever a worker may do with a load.
var steps = map[string]func(context.Context, *postgres.Load, *world) error{
	"prepare": func(ctx context.Context, l *postgres.Load, _ *world) error {
		return l.Prepare(ctx, postgres.File{Columns: columns("other")})
	},
	"commit": func(ctx context.Context, l *postgres.Load, _ *world) error {
		return l.Commit(ctx, batch(0, 10, "stale"))
	},
	"publish": func(ctx context.Context, l *postgres.Load, w *world) error {
		_, err := l.Publish(ctx, batch(0, 10, "stale"), w.publication())
		return err
	},
	"publish without a batch": func(ctx context.Context, l *postgres.Load, w *world) error {
		_, err := l.Publish(ctx, batch(0, 0), w.publication())
		return err
	},
	"find unchanged": func(ctx context.Context, l *postgres.Load, w *world) error {
		_, err := l.Unchanged(ctx, w.publication(), func(postgres.Baseline) bool { return true })
		return err
	},
	"fail": func(ctx context.Context, l *postgres.Load, _ *world) error {
		_, err := l.Fail(ctx, *events.Failf(events.CodeNotCSV, "no"), events.Figures{}, time.Now())
		return err
	},
	"cancel": func(ctx context.Context, l *postgres.Load, _ *world) error {
		_, err := l.Cancel(ctx, events.Figures{}, time.Now())
		return err
	},
}

// The defaults of a database must not weaken the fence.
func TestOnlyTheLastOpenerCommits(t *testing.T) {
	for _, isolation := range []string{"read committed", "repeatable read", "serializable"} {
		for _, prepared := range []bool{false, true} {
			t.Run(isolation+" prepared "+strconv.FormatBool(prepared), func(t *testing.T) {
				t.Parallel()
				url := testenv.Database(t)
				setDefault(t, url, "default_transaction_isolation", isolation)
				w := worldIn(t, url)
				first := w.prepared(w.db)
				w.commit(first, batch(0, 10, "a"))
				second := w.open(w.worker(url), 1)
				if first.Fence() != 1 || second.Fence() != 2 {
					t.Fatalf("fences %d and %d", first.Fence(), second.Fence())
				}
				w.wantKept(second, "10-")
				if prepared {
					w.must(second.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
					w.commit(second, batch(0, 10, "a"))
				}
				before := w.ledger()
				for name, do := range steps {
					if err := do(testenv.Context(t), first, w); !errors.Is(err, postgres.ErrFenceLost) {
						t.Errorf("%s: %v, want ErrFenceLost", name, err)
					}
					if after := w.ledger(); !slices.Equal(after, before) {
						t.Fatalf("%s changed\n%q to\n%q", name, before, after)
					}
				}
				w.publish(second, batch(10, 20, "b"))
				w.wantTables(w.name)
				w.wantRows(w.name, "a", "b")
			})
		}
	}
}

// setDefault changes the default of a setting for new connections to a database.
func setDefault(t *testing.T, url, setting, value string) {
	t.Helper()
	ctx := testenv.Context(t)
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	sql := "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET " + setting + " = ''" + value + "''', current_database()); END $$"
	if _, err := pool.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

// A worker that lost its job does not even wait for a lock, for nobody would end its backend if it froze with one.
func TestStaleWorkerLocksNothing(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	first := w.prepared(w.db)
	second := w.open(w.worker(w.url), 1)
	w.must(second.Prepare(ctx, postgres.File{Columns: columns("value")}))
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	_, err = tx.Exec(ctx, "LOCK TABLE sluice.batches, "+w.staging()+" IN ACCESS EXCLUSIVE MODE")
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('sluice:public.' || $1, 0))", w.name)
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT FROM sluice.loads FOR UPDATE")
	w.must(err)
	for name, do := range steps {
		w.wantFenceLost(name, do(ctx, first, w))
	}
}

func TestManyOpenersOneWinner(t *testing.T) {
	w := newWorld(t)
	const workers = 6
	type end struct {
		load *postgres.Load
		err  error
	}
	ends := make(chan end, workers)
	for range workers {
		db := w.worker(w.url)
		go func() {
			load, _, err := db.Open(testenv.Context(t), w.claim(1))
			ends <- end{load, err}
		}()
	}
	published := 0
	fences := map[int64]bool{}
	for range workers {
		e := <-ends
		if e.err != nil {
			continue // a later one ended its backend
		}
		if fences[e.load.Fence()] {
			t.Errorf("fence %d twice", e.load.Fence())
		}
		fences[e.load.Fence()] = true
		if e.load.Fence() != workers {
			continue
		}
		w.must(e.load.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
		w.publish(e.load, batch(0, 10, "a"))
		published++
	}
	if published != 1 {
		t.Errorf("%d loads published", published)
	}
	w.wantTables(w.name)
}

// holdRow locks the ledger row in a transaction of a name.
func (w *world) holdRow(name, lock string) (commit func() error) {
	w.Helper()
	ctx := testenv.Context(w)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	w.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(ctx)) })
	_, err = tx.Exec(ctx, "SET LOCAL application_name = '"+name+"'")
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT FROM sluice.loads WHERE job_id = $1 "+lock, w.job)
	w.must(err)
	return func() error { return tx.Commit(ctx) }
}

func TestBatchesOfALoadCommitSideBySide(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	other := w.holdRow("sluice/"+w.job+"/1", "FOR SHARE")
	w.commit(load, batch(0, 10, "a"))
	w.must(other())
}

func TestOpenWaitsForABatchThatIsCommitting(t *testing.T) {
	w := newWorld(t)
	w.prepared(w.db)
	committing := w.holdRow("sluice/"+w.job+"/1", "FOR SHARE")
	opened := make(chan error, 1)
	go func() {
		_, _, err := w.db.Open(testenv.Context(t), w.claim(1))
		opened <- err
	}()
	w.waitUntilBlocked("INSERT INTO sluice.loads")
	select {
	case err := <-opened:
		t.Errorf("opened beside a batch: %v", err)
	default:
	}
	w.must(committing())
	w.must(<-opened)
}
