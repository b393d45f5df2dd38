package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

const strange = `we"ird; drop table x`

// taken is whatever may have a name that a table then cannot have.
var taken = map[string]string{
	"table":      "CREATE TABLE %s ()",
	"view":       "CREATE VIEW %s AS SELECT 1 AS x",
	"index":      "CREATE TABLE IF NOT EXISTS other (x int); CREATE INDEX %s ON other (x)",
	"sequence":   "CREATE SEQUENCE %s",
	"enum type":  "CREATE TYPE %s AS ENUM ('x')",
	"row type":   "CREATE TYPE %s AS (x int)",
	"range type": "CREATE TYPE %s AS RANGE (subtype = int)",
	"domain":     "CREATE DOMAIN %s AS int",
}

func TestStatedNameMustBeFree(t *testing.T) {
	w := newWorld(t)
	for kind, create := range taken {
		t.Run(kind, func(t *testing.T) {
			w.name, w.job = strange+kind, uuid.NewString()
			w.exec(strings.ReplaceAll(create, "%s", pgx.Identifier{w.name}.Sanitize()))
			load := w.prepared(w.db)
			w.commit(load, batch(0, 10, "a"))
			before := w.ledger()
			_, err := load.Publish(testenv.Context(t), batch(10, 20, "b"), w.publication())
			if f := wantFailure(t, err, events.CodeTableExists); !strings.Contains(f.Message, w.name+" exists already; load into it with mode replace or append,") {
				t.Errorf("the message is %q", f.Message)
			}
			if after := w.ledger(); !slices.Equal(after, before) {
				t.Errorf("changed from\n%q to\n%q", before, after)
			}
			outcome, err := load.Fail(testenv.Context(t), *events.Failf(events.CodeTableExists, "taken"), events.Figures{}, time.Now())
			if err != nil || outcome.State != events.StateFailed {
				t.Errorf("failing: %+v, %v", outcome, err)
			}
			w.wantList("staging", nil, "SELECT tablename FROM pg_tables WHERE tablename = $1", w.staging())
		})
	}
}

func TestDerivedNameGivesWay(t *testing.T) {
	w := newWorld(t)
	for kind, create := range taken {
		t.Run(kind, func(t *testing.T) {
			w.exec(strings.ReplaceAll(create, "%s", pgx.Identifier{kind}.Sanitize()))
			w.exec("CREATE TABLE " + pgx.Identifier{kind + "_2"}.Sanitize() + " ()")
			if got := w.publishDerived(kind); got != kind+"_3" {
				t.Errorf("published as %q", got)
			}
			w.wantRows(kind+"_3", "a")
		})
	}
}

func TestDerivedNameIsCutAtACharacter(t *testing.T) {
	w := newWorld(t)
	for _, stem := range []string{strings.Repeat("a", 70), strings.Repeat("é", 40), "a" + strings.Repeat("é", 40), strings.Repeat("漢", 30), strings.Repeat("🐘", 20)} {
		name := postgres.DerivedName(stem, time.Unix(1700000000, 0))
		for _, suffix := range []string{"_1700000000", "_2", "_3"} {
			got := w.publishDerived(name)
			kept, ok := strings.CutSuffix(got, suffix)
			if !ok || !strings.HasPrefix(name, kept) && !strings.HasPrefix(stem, kept) || len(got) > postgres.MaxNameBytes || len(got) < postgres.MaxNameBytes-3 {
				t.Errorf("%q was published as %q, of %d bytes", name, got, len(got))
			}
			w.wantRows(got, "a")
		}
	}
	if got := postgres.DerivedName("trips", time.Unix(5, 0)); got != "trips_5" {
		t.Errorf("a short name became %q", got)
	}
}

// publishDerived loads a job of its own under a derived name, and returns what the table is called.
func (w *world) publishDerived(name string) string {
	w.Helper()
	w.job = uuid.NewString()
	p := w.publication()
	p.Table, p.Derived = name, true
	outcome, err := w.prepared(w.db).Publish(testenv.Context(w), batch(0, 10, "a"), p)
	w.must(err)
	w.wantList("name in the ledger", []string{outcome.Result.Table}, "SELECT table_name FROM sluice.loads WHERE job_id = $1", w.job)
	return outcome.Result.Table
}

func TestDerivedNamesMayRunOut(t *testing.T) {
	w := newWorld(t)
	w.exec(`DO $$ BEGIN CREATE TABLE trips (); FOR n IN 2..100 LOOP EXECUTE 'CREATE TABLE trips_' || n || ' ()'; END LOOP; END $$`)
	p := w.publication()
	p.Derived = true
	_, err := w.prepared(w.db).Publish(testenv.Context(t), batch(0, 10, "a"), p)
	wantFailure(t, err, events.CodeTableExists)
}

func TestStrangeNamesAreKept(t *testing.T) {
	w := newWorld(t)
	w.name = strange
	schema := `s"; drop schema sluice; --`
	w.exec("CREATE SCHEMA " + pgx.Identifier{schema}.Sanitize())
	load, _, err := w.db.Open(testenv.Context(t), postgres.Claim{JobID: w.job, Run: 1, Attempt: 1, Spec: events.Spec{Schema: schema}})
	w.must(err)
	names := []string{`"`, `'; --`, "%s", "$1", " ", "été", `\`, "select"}
	w.must(load.Prepare(testenv.Context(t), postgres.File{Columns: columns(names...)}))
	w.publish(load, batchOf(0, 0, make([][]byte, len(names))))
	w.wantList("columns", names, `SELECT column_name::text FROM information_schema.columns
		WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`, schema, strange)
	w.must(w.db.Analyze(testenv.Context(t), schema, strange))
}

// The same name twice at once: whoever comes second finds it taken.
func TestConcurrentJobsDoNotShareAName(t *testing.T) {
	w := newWorld(t)
	const jobs = 4
	ends := make(chan error, jobs)
	for range jobs {
		w.job = uuid.NewString()
		load := w.prepared(w.worker(w.url))
		go func() {
			_, err := load.Publish(testenv.Context(t), batch(0, 10, "a"), w.publication())
			ends <- err
		}()
	}
	won := 0
	for range jobs {
		if err := <-ends; err != nil {
			wantFailure(t, err, events.CodeTableExists)
		} else {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d jobs published the same name", won)
	}
	w.wantRows(w.name, "a")
}

// A stranger may be about to create what the job wants to be called.
func TestNameOfAnUncommittedTableIsTaken(t *testing.T) {
	for _, derived := range []bool{false, true} {
		w := worldIn(t, testenv.Database(t))
		ctx := testenv.Context(t)
		load := w.prepared(w.db)
		tx, err := w.raw.Begin(ctx)
		w.must(err)
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		_, err = tx.Exec(ctx, "CREATE TABLE trips ()")
		w.must(err)
		p := w.publication()
		p.Derived = derived
		ended := make(chan error, 1)
		go func() {
			_, err := load.Publish(ctx, batch(0, 10, "a"), p)
			ended <- err
		}()
		w.waitUntilBlocked("RENAME TO")
		w.must(tx.Commit(ctx))
		if err := <-ended; derived {
			w.must(err)
			w.wantTables("trips", "trips_2")
		} else {
			wantFailure(t, err, events.CodeTableExists)
		}
	}
}

func TestBatchesMustCoverTheSource(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		batches []*postgres.Batch
		last    *postgres.Batch
	}{
		"gap at the start":  {nil, batch(5, 10, "a")},
		"gap":               {[]*postgres.Batch{batch(0, 10, "a")}, batch(11, 20, "b")},
		"overlap":           {[]*postgres.Batch{batch(0, 10, "a")}, batch(9, 20, "b")},
		"twice":             {[]*postgres.Batch{batch(0, 10, "a"), batch(0, 10, "a")}, batch(10, 20, "b")},
		"gap before an end": {[]*postgres.Batch{batch(0, 10, "a")}, batch(20, 20)},
		"nothing":           {nil, batch(20, 20)},
	} {
		t.Run(name, func(t *testing.T) {
			w.job = uuid.NewString()
			load := w.prepared(w.db)
			for _, b := range c.batches {
				w.commit(load, b)
			}
			_, err := load.Publish(testenv.Context(t), c.last, w.publication())
			wantFailure(t, err, events.CodeInternal)
			w.wantList("dataset", nil, "SELECT relname::text FROM pg_class WHERE relname = $1", w.name)
		})
	}
}

// Batches need not have reached the disk when the server crashes, and the worker may not notice.
func TestBatchesLostInACrashAreMissed(t *testing.T) {
	for name, lose := range map[string]string{
		"the last":  "DELETE FROM sluice.batches WHERE batch = 2",
		"the first": "DELETE FROM sluice.batches WHERE batch = 1",
		"all":       "DELETE FROM sluice.batches",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			w.commit(load, batch(0, 10, "a"))
			w.commit(load, batch(10, 20, "b"))
			w.exec(lose)
			_, err := load.Publish(testenv.Context(t), batch(20, 30, "c"), w.publication())
			wantFailure(t, err, events.CodeDatabaseUnavailable)
			w.wantTables(w.staging())
		})
	}
}
