package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// reject is a row at a byte offset.
func reject(line, offset int64, raw string) postgres.Reject {
	return postgres.Reject{Line: line, Offset: offset, Code: events.CodeTooManyFields, Reason: "The row has too many values.", Raw: raw}
}

// batchOfBlock holds one block.
func batchOfBlock(start int64, b postgres.Block) *postgres.Batch {
	batch := postgres.NewBatch(start)
	_ = batch.Append(context.Background(), b) // fails with its context only
	batch.Close()
	return batch
}

// reject adds a block of nothing but rejects.
func (c *writer) reject(raws ...string) error {
	c.end += 10
	b := postgres.Block{Data: c.Buffer(), End: c.end}
	for i, raw := range raws {
		b.Rejects = append(b.Rejects, reject(c.end/10, c.end-10+int64(i), raw))
	}
	return c.Write(b)
}

// wantRejects checks the job's rejects, as offset:raw.
func (w *world) wantRejects(want ...string) {
	w.Helper()
	w.wantList("rejects", want, "SELECT byte_offset || ':' || raw FROM sluice.rejects WHERE job_id = $1 ORDER BY byte_offset", w.job)
}

func TestRejectsAreRecorded(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.commit(load, batch(0, 10, "a"))
	b := block(3, 60, [][]byte{[]byte("b")})
	b.Rejects = []postgres.Reject{
		{Line: 4, Offset: 25, Column: 2, ColumnName: strange, Code: events.CodeFieldTooLong, Reason: "It's too long.", Raw: "x,\\\t\r\n“é”🐘\\."},
		{Line: 5, Offset: 40, Column: 1600, Code: events.CodeBadEncoding, Reason: "It's not UTF-8.", Raw: strings.Repeat("漢", 4<<10/3)},
		{Line: 7, Offset: 50, Code: events.CodeRowTooLong, Reason: "It's too long."},
	}
	w.publish(load, batchOfBlock(10, b))
	w.wantList("rejects", []string{
		"2|4|25|2|" + strange + "|field_too_long|It's too long.|x,\\\t\r\n“é”🐘\\.",
		"2|5|40|1600|NULL|bad_encoding|It's not UTF-8.|" + strings.Repeat("漢", 4<<10/3),
		"2|7|50|NULL|NULL|row_too_long|It's too long.|",
	}, `SELECT concat_ws('|', batch, line, byte_offset, coalesce(column_number::text, 'NULL'), coalesce(column_name, 'NULL'),
		code, reason, raw) FROM sluice.rejects WHERE job_id = $1 ORDER BY byte_offset`, w.job)
}

func TestBatchesCountRejects(t *testing.T) {
	rows := func(line int64, rejects ...postgres.Reject) postgres.Block {
		b := block(line, 0, [][]byte{[]byte("a")}, [][]byte{[]byte("b")})
		b.Rejects = rejects
		return b
	}
	only := func(rejects ...postgres.Reject) postgres.Block { return postgres.Block{Rejects: rejects} }
	for name, tt := range map[string]struct {
		blocks         []postgres.Block
		first          int
		rows, rejected int64
	}{
		"rows first":                   {[]postgres.Block{rows(3, reject(5, 20, ""))}, 3, 2, 1},
		"rejects first":                {[]postgres.Block{rows(3, reject(2, 5, ""), reject(4, 8, ""))}, 2, 2, 2},
		"only rejects":                 {[]postgres.Block{only(reject(7, 5, ""), reject(8, 6, ""))}, 7, 0, 2},
		"blocks of only rejects":       {[]postgres.Block{only(reject(7, 5, "")), only(reject(8, 6, ""))}, 7, 0, 2},
		"a block of rejects, and rows": {[]postgres.Block{only(reject(7, 5, "")), rows(8), rows(10, reject(12, 6, ""))}, 7, 4, 2},
		"rows, and a block of rejects": {[]postgres.Block{rows(3), only(reject(5, 5, "")), rows(6)}, 3, 4, 1},
	} {
		for _, cut := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s cut %t", name, cut), func(t *testing.T) {
				w := newWorld(t)
				c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
				for _, b := range tt.blocks {
					c.end += 10
					b.End = c.end
					c.must(c.Write(b))
				}
				if cut {
					c.Cut()
				}
				outcome, err := c.publish()
				w.must(err)
				if r, f := outcome.Result, outcome.Figures; r.Rows != tt.rows || r.Rejected != tt.rejected || f.Rows != tt.rows || f.Rejected != tt.rejected {
					t.Errorf("result %+v and figures %+v, want %d and %d", r, f, tt.rows, tt.rejected)
				}
				w.wantList("batches", []string{fmt.Sprintf("0-%d from line %d: %d, %d", c.end, tt.first, tt.rows, tt.rejected)},
					`SELECT format('%s-%s from line %s: %s, %s', start_offset, end_offset, first_line, rows, rejected) FROM sluice.batches`)
				w.wantList("rejects", []string{strconv.FormatInt(tt.rejected, 10)}, "SELECT count(*)::text FROM sluice.rejects")
				w.wantList("rows", []string{strconv.FormatInt(tt.rows, 10)}, "SELECT count(*)::text FROM "+w.name)
			})
		}
	}
}

// With a batch goes all or nothing of it, whichever part is refused.
func TestRejectsAreCommittedWithTheirBatchOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		value   string
		rejects []postgres.Reject
		message string
	}{
		"refused row":    {"\xff", []postgres.Reject{reject(3, 20, "x")}, "from line 2 on"},
		"refused reject": {"a", []postgres.Reject{reject(3, 20, "x\x00")}, "from line 2 on"},
		"same place":     {"a", []postgres.Reject{reject(3, 20, "x"), reject(3, 20, "y")}, "from line 2 on"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			b := block(2, 30, [][]byte{[]byte(tt.value)})
			b.Rejects = tt.rejects
			commit := load.Commit(testenv.Context(t), batchOfBlock(0, b))
			_, publish := load.Publish(testenv.Context(t), batchOfBlock(0, b), w.publication())
			for _, err := range []error{commit, publish} {
				if f := wantFailure(t, err, events.CodeDatabaseError); !strings.Contains(f.Message, tt.message) {
					t.Errorf("it says %q", f.Message)
				}
			}
			w.wantNoneStaged()
			b.Data, b.Rejects = []byte("a\n"), []postgres.Reject{reject(3, 20, "x")}
			w.publish(load, batchOfBlock(0, b))
			w.wantRejects("20:x")
		})
	}
}

// wantNoneStaged checks that nothing of any batch is committed.
func (w *world) wantNoneStaged() {
	w.Helper()
	w.wantRejects()
	w.batchesAre()
	w.wantRows(w.staging())
}

// holdRejects keeps everyone from adding rejects until they are released.
func (w *world) holdRejects() (release func()) {
	w.Helper()
	ctx := testenv.Context(w)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "LOCK TABLE sluice.rejects IN SHARE MODE")
	w.must(err)
	release = func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }
	w.Cleanup(release)
	return release
}

func TestFenceIsLostBesideRejects(t *testing.T) {
	for name, do := range map[string]func(ctx context.Context, w *world, l *postgres.Load, b *postgres.Batch) error{
		"commit": func(ctx context.Context, _ *world, l *postgres.Load, b *postgres.Batch) error {
			return l.Commit(ctx, b)
		},
		"publish": func(ctx context.Context, w *world, l *postgres.Load, b *postgres.Batch) error {
			_, err := l.Publish(ctx, b, w.publication())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			release := w.holdRejects()
			b := block(2, 30, [][]byte{[]byte("a")})
			b.Rejects = []postgres.Reject{reject(3, 20, "x")}
			ended := make(chan error, 1)
			go func() { ended <- do(testenv.Context(t), w, load, batchOfBlock(0, b)) }()
			w.waitUntilBlocked(`copy "sluice"."rejects"`)
			w.exec("UPDATE sluice.loads SET fence = fence + 1")
			release()
			w.wantFenceLost(name, <-ended)
			w.wantNoneStaged()
		})
	}
}

func TestOpenGetsPastAWorkerFrozenBesideRejects(t *testing.T) {
	for name, fault := range map[string]fault{
		"in COPY":       {statement: `copy "sluice"`, forward: true, freeze: true},
		"before COMMIT": freezeBeforeCommit,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			first := w.prepared(w.worker(url))
			proxy.arm(fault)
			rejects := postgres.Block{End: 30, Rejects: []postgres.Reject{reject(3, 20, "x")}}
			ended := make(chan error, 1)
			go func() { ended <- first.Commit(testenv.Context(t), batchOfBlock(0, rejects)) }()
			w.waitFor("the worker is frozen", `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE wait_event = 'ClientRead'
				AND application_name = $1 AND relation = 'sluice.rejects'::regclass AND mode = 'RowExclusiveLock'`, "sluice/"+w.job+"/1")
			ctx, cancel := context.WithTimeout(t.Context(), atOnce)
			defer cancel()
			second, _, err := w.db.Open(ctx, w.claim(1))
			w.must(err)
			if err := <-ended; err == nil {
				t.Error("the frozen worker has done it")
			}
			w.wantNothingLeft()
			w.wantRejects()
			w.must(second.Prepare(ctx, postgres.File{Columns: columns("value")}))
			w.publish(second, batchOfBlock(0, rejects))
			w.wantRejects("20:x")
		})
	}
}

func TestHowLongRejectsStay(t *testing.T) {
	ctx := testenv.Context
	for name, tt := range map[string]struct {
		do   func(w *world, l *postgres.Load)
		stay bool
	}{
		"loading":      {func(*world, *postgres.Load) {}, true},
		"opened again": {func(w *world, _ *postgres.Load) { w.open(w.worker(w.url), 1) }, true},
		"begun again":  {func(w *world, _ *postgres.Load) { w.prepared(w.worker(w.url)) }, false},
		"failed in another pass": {func(w *world, _ *postgres.Load) {
			_, err := settlings["fail"](ctx(w), w.open(w.worker(w.url), 1))
			w.must(err)
		}, true},
		"published": {func(w *world, l *postgres.Load) { w.publish(l, batch(20, 20)) }, true},
		"asked again how it ended": {func(w *world, l *postgres.Load) {
			w.publish(l, batch(20, 20))
			_, outcome, err := w.db.Open(ctx(w), w.claim(2))
			w.must(err)
			if outcome.Result.Rejected != 2 || outcome.Figures.Rejected != 2 {
				w.Errorf("outcome %+v", outcome)
			}
		}, true},
		"failed": {func(w *world, l *postgres.Load) {
			_, err := settlings["fail"](ctx(w), l)
			w.must(err)
			w.wantNothingLeft()
		}, true},
		"failed, and a new run": {func(w *world, l *postgres.Load) {
			_, err := settlings["fail"](ctx(w), l)
			w.must(err)
			w.must(w.open(w.db, 2).Prepare(ctx(w), postgres.File{Columns: columns("value")}))
		}, false},
		"cancelled": {func(w *world, l *postgres.Load) {
			_, err := settlings["cancel"](ctx(w), l)
			w.must(err)
			w.wantNothingLeft()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rejects := postgres.Block{End: 20, Rejects: []postgres.Reject{reject(2, 5, "x"), reject(3, 15, "y")}}
			w.exec("INSERT INTO sluice.rejects VALUES ($1, 1, 2, 5, NULL, NULL, 'too_many_fields', 'Why.', 'z')", uuid.NewString())
			load := w.prepared(w.db)
			w.commit(load, batchOfBlock(0, rejects))
			tt.do(w, load)
			if tt.stay {
				w.wantRejects("5:x", "15:y")
			} else {
				w.wantRejects()
			}
			w.wantList("another job's", []string{"z"}, "SELECT raw FROM sluice.rejects WHERE job_id <> $1", w.job)
		})
	}
}

// A file of nothing but bad rows takes no more memory than another one.
func TestRejectsFillBatches(t *testing.T) {
	w := newWorld(t)
	const blocks, raws, size, enough = 100, 5, 1000, 20_000
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 3, BatchBytes: enough})
	release := w.holdRejects()
	var written atomic.Int64
	ended := make(chan error, 1)
	go func() {
		block := slices.Repeat([]string{strings.Repeat("x", size)}, raws)
		for range blocks {
			if err := c.reject(block...); err != nil {
				ended <- err
				return
			}
			written.Add(1)
		}
		ended <- nil
	}()
	w.waitFor("all connections are busy", `SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND wait_event_type = 'Lock' AND query LIKE 'copy "sluice"."rejects"%' HAVING count(*) = 3`)
	if n := written.Load(); n > 3*enough/(raws*size) {
		t.Errorf("%d blocks are written", n)
	}
	release()
	w.must(<-ended)
	outcome, err := c.publish()
	w.must(err)
	if r := outcome.Result; r.Rows != 0 || r.Rejected != blocks*raws {
		t.Errorf("result %+v", r)
	}
	w.wantList("batches that are too large", nil,
		"SELECT batch::text FROM sluice.rejects GROUP BY batch HAVING sum(length(raw)) > $1", enough)
	w.wantList("batches of another number", nil,
		"SELECT batch::text FROM sluice.batches b WHERE rejected <> (SELECT count(*) FROM sluice.rejects r WHERE r.batch = b.batch)")
}

func TestFlushWaitsForBatches(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
	c.must(c.Flush())
	c.batch("held 1")
	c.must(c.write("held 1"))
	c.must(c.reject("x"))
	w.awaitHeld(2)
	ended := make(chan error, 1)
	go func() { ended <- c.Flush() }()
	select {
	case err := <-ended:
		t.Fatalf("it has not waited: %v", err)
	default:
	}
	open()
	w.must(<-ended)
	w.batchesAre("0-10:1", "10-30:1")
	c.must(c.Flush())
	c.must(c.write("b", "refused"))
	for range 2 {
		wantFailure(t, c.Flush(), events.CodeDatabaseError)
	}
	_, err := load.Fail(testenv.Context(t), *events.Failf(events.CodeDatabaseError, "no"), events.Figures{}, time.Now())
	w.must(err)
	w.wantNothingLeft()
	w.wantRejects("20:x")
}

func TestContextEndsFlush(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	w.shut(1)
	errWhy := errors.New("this is why")
	ctx, cancel := context.WithCancelCause(testenv.Context(t))
	c := w.writer(ctx, load, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.must(c.write("held 1"))
	w.awaitHeld(1)
	ended := make(chan error, 1)
	go func() { ended <- c.Flush() }()
	cancel(errWhy)
	if err := <-ended; !errors.Is(err, errWhy) {
		t.Errorf("it fails with %v", err)
	}
}
