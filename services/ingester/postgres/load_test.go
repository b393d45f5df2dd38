package postgres_test

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func TestDatasetHasAllBatches(t *testing.T) {
	for name, batches := range map[string][]*postgres.Batch{
		"header only":         {batch(0, 7)},
		"only batch":          {batch(0, 10, "a", "b")},
		"two batches":         {batch(0, 10, "a"), batch(10, 20, "b")},
		"empty end":           {batch(0, 10, "a", "b"), batch(10, 10)},
		"end without records": {batch(0, 10, "a", "b"), batch(10, 15)},
		"many":                manyBatches(40),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			last := batches[len(batches)-1]
			for _, b := range batches[:len(batches)-1] {
				w.commit(load, b)
			}
			outcome := w.publish(load, last)

			var want []string
			for _, b := range batches {
				for n := range b.Rows {
					want = append(want, valueOf(len(batches), b, n))
				}
			}
			w.wantTables(w.name)
			w.wantRows(w.name, want...)
			if n := int64(len(want)); outcome.Result.Rows != n || outcome.Figures.Rows != n {
				t.Errorf("%d rows in the result and %d in the figures, want %d", outcome.Result.Rows, outcome.Figures.Rows, n)
			}
			if r := outcome.Result; r.Schema != "public" || r.Table != w.name || r.Bytes != 10 {
				t.Errorf("result %+v", r)
			}
			w.must(w.db.Analyze(testenv.Context(t), "public", w.name))
		})
	}
}

func manyBatches(n int64) []*postgres.Batch {
	var list []*postgres.Batch
	for i := range n {
		list = append(list, batch(i*10, i*10+10, strconv.FormatInt(100+i, 10)))
	}
	return list
}

// valueOf is the nth value of a batch in the table above.
func valueOf(batches int, b *postgres.Batch, n int64) string {
	switch {
	case batches > 2:
		return strconv.FormatInt(100+b.Start/10, 10)
	case b.Start > 0:
		return "b"
	}
	return string(rune('a' + n))
}

func TestNothingIsVisibleBeforePublishing(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.wantTables(w.staging())
	w.commit(load, batch(0, 10, "a"))
	w.wantTables(w.staging())
	w.wantList("dataset", nil, "SELECT relname::text FROM pg_class WHERE relname = $1", w.name)
	w.publish(load, batch(10, 20, "b"))
	w.wantTables(w.name)
}

func TestPrepareKeepsItsDecisionsInTheLedger(t *testing.T) {
	w := newWorld(t)
	w.prepared(w.db)
	w.wantList("decisions", []string{"value utf-8"},
		"SELECT (columns->0->>'name') || ' ' || (dialect->>'encoding') FROM sluice.loads WHERE state = 'loading'")
}

func TestBatchesAreRecorded(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.commit(load, batch(0, 10, "a"))
	w.publish(load, batch(10, 25, "b", "c"))
	w.wantList("batches", []string{"1 1 0 10 2 1", "2 1 10 25 12 2"}, `SELECT concat_ws(' ', batch, fence, start_offset,
		end_offset, first_line, rows) FROM sluice.batches WHERE job_id = $1 ORDER BY batch`, w.job)
}

func TestBatchThatWasRefusedMayBeCommittedAgain(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	wantFailure(t, load.Commit(testenv.Context(t), batch(0, 10, "\xff")), events.CodeDatabaseError)
	w.commit(load, batch(0, 10, "a"))
	w.publish(load, batch(10, 10))
	w.wantRows(w.name, "a")
}

func TestSettledRunLeavesNothing(t *testing.T) {
	for _, prepared := range []bool{true, false} {
		for name, settle := range settlings {
			t.Run(name+" prepared "+strconv.FormatBool(prepared), func(t *testing.T) {
				w := newWorld(t)
				load := w.open(w.db, 1)
				if prepared {
					w.must(load.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
					w.commit(load, batch(0, 10, "a"))
				}
				outcome, err := settle(testenv.Context(t), load)
				w.must(err)
				w.wantNothingLeft()
				_, again, err := w.db.Open(testenv.Context(t), w.claim(1))
				w.must(err)
				if !reflect.DeepEqual(again, outcome) {
					t.Errorf("the ledger has %+v, want %+v", again, outcome)
				}
			})
		}
	}
}

var settlings = map[string]func(context.Context, *postgres.Load) (*postgres.Outcome, error){
	"fail": func(ctx context.Context, l *postgres.Load) (*postgres.Outcome, error) {
		f := events.Failf(events.CodeNULByte, "a \x00 byte in “é”").AtPlace(3, 2, 0)
		return l.Fail(ctx, *f, events.Figures{Bytes: 7, Rows: 3, Rejected: 1}, time.Now())
	},
	"cancel": func(ctx context.Context, l *postgres.Load) (*postgres.Outcome, error) {
		total := int64(9)
		return l.Cancel(ctx, events.Figures{Phase: events.PhaseLoading, Bytes: 7, TotalBytes: &total}, time.Now())
	},
}

func TestEndedLoadCommitsNothingMore(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.publish(load, batch(0, 10, "a"))
	before := w.ledger()
	for name, do := range steps {
		if err := do(testenv.Context(t), load, w); !errors.Is(err, postgres.ErrFenceLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := w.ledger(); !reflect.DeepEqual(after, before) {
		t.Errorf("changed from\n%q to\n%q", before, after)
	}
}

// A pool of two connections serves any number of jobs: none of them waits for a second one while it has the first.
func TestSmallPoolServesManyJobs(t *testing.T) {
	w := newWorld(t)
	db, err := postgres.Connect(testenv.Context(t), w.url, 1)
	w.must(err)
	t.Cleanup(db.Close)
	const jobs = 12
	ended := make(chan error, jobs)
	for n := range jobs {
		go func() { ended <- wholeJob(testenv.Context(t), db, "t"+strconv.Itoa(n)) }()
	}
	for range jobs {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	w.wantList("committed", []string{strconv.Itoa(jobs)}, "SELECT count(*)::text FROM sluice.loads WHERE state = 'committed'")
}

// The next attempt may read the file differently, on connections that knew the table of the one before.
func TestStagingIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	for n := range 4 {
		load := w.open(w.db, 1)
		w.must(load.Prepare(testenv.Context(t), postgres.File{Columns: numbered(n + 1)}))
		w.commit(load, batchOf(0, 10, make([][]byte, n+1)))
		if n == 3 {
			w.publish(load, batch(10, 10))
		}
	}
	w.wantList("columns", []string{"4"}, "SELECT count(*)::text FROM information_schema.columns WHERE table_name = $1", w.name)
}
