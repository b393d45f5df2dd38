package postgres_test

import (
	"bytes"
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

// writer is a copier whose blocks take ten bytes each of a source.
type writer struct {
	*world
	*postgres.Copier
	end int64
}

func (w *world) writer(ctx context.Context, load *postgres.Load, config postgres.CopierConfig) *writer {
	w.Helper()
	c := &writer{world: w, Copier: load.Copier(ctx, config)}
	w.Cleanup(c.Close)
	return c
}

// write adds a block.
func (c *writer) write(values ...string) error {
	rows := make([][][]byte, len(values))
	for i, v := range values {
		rows[i] = [][]byte{[]byte(v)}
	}
	c.end += 10
	return c.Write(block(c.end/10, c.end, rows...))
}

// batch adds a batch of one block.
func (c *writer) batch(values ...string) {
	c.Helper()
	c.must(c.write(values...))
	c.Cut()
}

func (c *writer) publish() (*postgres.Outcome, error) { return c.Publish(c.end, c.publication) }

func (c *writer) wantPublished(rows int64) {
	c.Helper()
	outcome, err := c.publish()
	c.must(err)
	if outcome.Result.Rows != rows {
		c.Errorf("%d rows are published, want %d", outcome.Result.Rows, rows)
	}
}

// gates makes the staging table hold a row "held n" back until gate n is opened, and refuse a row "refused".
func (w *world) gates() {
	w.Helper()
	w.exec(`CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.value LIKE 'held %' THEN PERFORM pg_advisory_xact_lock_shared(substr(NEW.value, 6)::int); END IF;
		IF NEW.value = 'refused' THEN RAISE EXCEPTION 'not this one'; END IF;
		RETURN NEW; END $$`)
	w.exec("CREATE TRIGGER gate BEFORE INSERT ON " + w.staging() + " FOR EACH ROW EXECUTE FUNCTION gate()")
}

// shut shuts a gate.
func (w *world) shut(gate int) (open func()) {
	w.Helper()
	ctx := testenv.Context(w)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", gate)
	w.must(err)
	open = func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }
	w.Cleanup(open)
	return open
}

// awaitHeld waits until n batches stand at gates.
func (w *world) awaitHeld(n int) {
	w.Helper()
	w.waitFor("batches are held", `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
		AND query LIKE 'COPY %' HAVING count(*) = $1`, n)
}

// awaitNoBackends waits until no transaction of the job is left.
func (w *world) awaitNoBackends() {
	w.Helper()
	w.waitFor("all backends have ended", `SELECT FROM pg_stat_activity WHERE application_name LIKE 'sluice/' || $1 || '/%'
		HAVING count(*) = 0`, w.job)
}

// batchesAre checks which batches are committed, as start-end:rows.
func (w *world) batchesAre(want ...string) {
	w.Helper()
	w.wantList("batches", want, "SELECT start_offset || '-' || end_offset || ':' || rows FROM sluice.batches ORDER BY start_offset")
}

func TestBatchesRunSideBySide(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.batch("held 1")
	w.awaitHeld(1)
	c.batch("b")
	c.batch("c")
	c.must(c.write("d"))
	w.waitFor("two batches are committed", "SELECT FROM sluice.batches HAVING count(*) = 2")
	w.batchesAre("10-20:1", "20-30:1")
	open()
	c.wantPublished(4)
	w.wantRows(w.name, "b", "c", "d", "held 1")
	w.batchesAre("0-10:1", "10-20:1", "20-30:1", "30-40:1")
}

func TestFileOfOneBatchTakesOneConnection(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 4, BatchBytes: 1 << 20})
	c.must(c.write("held 1"))
	for range 20 {
		c.must(c.write("a", "b"))
	}
	w.awaitHeld(1)
	w.wantList("backends", []string{"1"},
		"SELECT count(*)::text FROM pg_stat_activity WHERE application_name = $1", "sluice/"+w.job+"/1")
	open()
	c.wantPublished(41)
	w.batchesAre("0-210:41")
}

func TestWhatClosesABatch(t *testing.T) {
	for name, tt := range map[string]struct {
		write func(c *writer)
		want  []string
	}{
		"nothing": {func(*writer) {}, nil},
		"size": {func(c *writer) {
			for range 5 {
				c.must(c.write(strings.Repeat("x", 60)))
			}
		}, []string{"0-20:1+1", "20-40:1+1", "40-50:1"}},
		"cut": {func(c *writer) {
			c.Cut()
			c.batch("a")
			c.Cut()
			c.must(c.write("b"))
			c.batch("c")
		}, []string{"0-10:1", "10-30:1+1"}},
		"format": {func(c *writer) {
			c.must(c.write("a"))
			for _, b := range []postgres.Block{
				{Data: []byte("b\n\n"), Delimiter: ',', Null: "", Count: 2}, {Data: []byte("\\\\N\n"), Delimiter: ',', Null: "", Count: 1},
				{Data: []byte("\n"), Delimiter: ',', Null: `\N`, Count: 1}, {Data: []byte("\\N\n"), Delimiter: ';', Null: `\N`, Count: 1},
			} {
				c.end += 10
				b.FirstLine, b.End = 1, c.end
				c.must(c.Write(b))
			}
		}, []string{"0-10:1", "10-30:2+1", "30-40:1", "40-50:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 1, BatchBytes: 100})
			tt.write(c)
			var rows int64
			want := slices.Clone(tt.want)
			for i, b := range want {
				place, counts, _ := strings.Cut(b, ":")
				sum := 0
				for n := range strings.SplitSeq(counts, "+") {
					count, _ := strconv.Atoi(n)
					sum += count
				}
				want[i] = place + ":" + strconv.Itoa(sum)
				rows += int64(sum)
			}
			c.wantPublished(rows)
			w.batchesAre(want...)
			if name == "format" {
				w.wantList("values", []string{"", "NULL", "NULL", `\N`, "a", "b"},
					"SELECT coalesce(value, 'NULL') FROM "+w.name+` ORDER BY coalesce(value, 'NULL') COLLATE "C"`)
			}
		})
	}
}

func TestBatchesShrinkTowardsTheEnd(t *testing.T) {
	w := newWorld(t)
	const blocks, size, largest, least = 96, 128 << 10, 2 << 20, 1 << 20
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{
		Connections: 2, BatchBytes: largest, FileBytes: blocks * size,
	})
	for n := range int64(blocks) {
		data := append(append(c.Buffer(), bytes.Repeat([]byte{'x'}, size-1)...), '\n')
		c.must(c.Write(postgres.Block{Data: data, Delimiter: ',', Count: 1, FirstLine: n + 1, End: (n + 1) * size}))
	}
	c.end = blocks * size
	c.wantPublished(blocks)
	var sizes []int
	for _, s := range w.list("SELECT (end_offset - start_offset)::text FROM sluice.batches ORDER BY start_offset") {
		n, _ := strconv.Atoi(s)
		sizes = append(sizes, n)
	}
	last := len(sizes) - 1
	if sizes[0] != largest || !slices.IsSortedFunc(sizes, func(a, b int) int { return b - a }) {
		t.Errorf("the batches have %d bytes", sizes)
	}
	if smallest := slices.Min(sizes[:last]); smallest != least {
		t.Errorf("the smallest batch but the last has %d bytes, want %d: %d", smallest, least, sizes)
	}
}

func TestOneConnectionKeepsTheOrder(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 1, BatchBytes: 40})
	var want []string
	for n := range 300 {
		want = append(want, strconv.Itoa(n*7919%300))
		c.must(c.write(want[n]))
		if n%7 == 0 {
			c.Cut()
		}
	}
	c.wantPublished(300)
	w.wantList("rows", want, "SELECT value FROM "+w.name+" ORDER BY ctid")
}

func TestPublishingWaitsForBatches(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 4, BatchBytes: 1 << 20})
	for range 3 {
		c.batch("held 1")
	}
	c.must(c.write("last"))
	w.awaitHeld(3)
	ended := make(chan error, 1)
	go func() {
		outcome, err := c.publish()
		if err == nil && outcome.Result.Rows != 4 {
			err = fmt.Errorf("%d rows are published", outcome.Result.Rows)
		}
		ended <- err
	}()
	w.waitFor("the last batch is copied", `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'ClientRead'
		AND query LIKE 'COPY %'`, "sluice/"+w.job+"/1")
	select {
	case err := <-ended:
		t.Fatalf("published beside batches: %v", err)
	default:
	}
	w.wantTables(w.staging())
	open()
	w.must(<-ended)
	w.batchesAre("0-10:1", "10-20:1", "20-30:1", "30-40:1")
}

// writeUntilFailure writes batches until one of the writes fails.
func (c *writer) writeUntilFailure(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := c.write("a"); err != nil {
			return err
		}
		c.Cut()
	}
	return errors.New("no write fails")
}

// A batch that fails ends those beside it, whatever the writer waits for meanwhile, and is what it hears of.
func TestFailingBatchEndsAll(t *testing.T) {
	for name, connections := range map[string]int{"writer waits for a slot": 2, "writer waits for a connection": 3} {
		for _, publishing := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s publishing %t", name, publishing), func(t *testing.T) {
				w := newWorld(t)
				db, err := postgres.Connect(testenv.Context(t), w.url, 2)
				w.must(err)
				t.Cleanup(db.Close)
				load := w.prepared(db)
				w.gates()
				first, second := w.shut(1), w.shut(2)
				c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: connections, BatchBytes: 1 << 20})
				c.batch("held 1", "refused")
				c.batch("held 2")
				w.awaitHeld(2)
				ended := make(chan error, 1)
				go func() {
					if publishing {
						_, err := c.publish()
						ended <- err
						return
					}
					ended <- c.writeUntilFailure(testenv.Context(t))
				}()
				first()
				err = <-ended
				if f := wantFailure(t, err, events.CodeDatabaseError); !strings.Contains(f.Message, "from line 1 on") {
					t.Errorf("it says %q", f.Message)
				}
				for range 20 { // each may go either way
					c.Cut()
					wantFailure(t, c.write("late"), events.CodeDatabaseError)
				}
				_, err = c.publish()
				wantFailure(t, err, events.CodeDatabaseError)
				c.Close()
				second() // a backend that waits for a lock does not see that its client has gone
				w.awaitNoBackends()
				w.batchesAre()
				_, err = load.Fail(testenv.Context(t), *events.Failf(events.CodeDatabaseError, "no"), events.Figures{}, time.Now())
				w.must(err)
				w.wantNothingLeft()
			})
		}
	}
}

func TestContextEndsBatches(t *testing.T) {
	errWhy := errors.New("this is why")
	for name, publishing := range map[string]bool{"writing": false, "publishing": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			w.gates()
			open := w.shut(1)
			ctx, cancel := context.WithCancelCause(testenv.Context(t))
			c := w.writer(ctx, load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
			for range 2 {
				c.batch("held 1")
			}
			c.must(c.write("held 1"))
			w.awaitHeld(3)
			ended := make(chan error, 1)
			go func() {
				if publishing {
					_, err := c.publish()
					ended <- err
					return
				}
				ended <- c.writeUntilFailure(testenv.Context(t))
			}()
			cancel(errWhy)
			if err := <-ended; !errors.Is(err, errWhy) {
				t.Errorf("it fails with %v", err)
			}
			if _, err := c.publish(); !errors.Is(err, errWhy) {
				t.Errorf("publishing fails with %v", err)
			}
			c.Close()
			open()
			w.awaitNoBackends()
			w.batchesAre()
		})
	}
}

func TestCloseEndsBatches(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
	c.batch("held 1")
	c.must(c.write("held 1"))
	w.awaitHeld(2)
	c.Close()
	open()
	w.awaitNoBackends()
	c.Close()
	if err := c.writeUntilFailure(testenv.Context(t)); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("writing to what is closed: %v", err)
	}
	w.batchesAre()
	c = w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 1, BatchBytes: 1})
	c.batch("a")
	c.wantPublished(1)
}

func TestFenceIsLostBetweenBatches(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.batch("a")
	w.waitFor("the batch is committed", "SELECT FROM sluice.batches")
	w.open(w.worker(w.url), 1)
	w.wantFenceLost("writing", c.writeUntilFailure(testenv.Context(t)))
	_, err := c.publish()
	w.wantFenceLost("publishing", err)
	c.Close()
	w.wantNothingLeft()
}

// Whoever takes the job over ends the backends of batches that are under way.
func TestFenceIsLostInABatch(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
	c.batch("held 1")
	c.must(c.write("held 1"))
	w.awaitHeld(2)
	w.open(w.worker(w.url), 1)
	if err := c.writeUntilFailure(testenv.Context(t)); !errors.Is(err, postgres.ErrFenceLost) {
		wantFailure(t, err, events.CodeDatabaseUnavailable)
	}
	c.Close()
	w.awaitNoBackends()
	w.wantNothingLeft()
}

func TestConnectionIsLostInABatch(t *testing.T) {
	for name, fault := range map[string]fault{"in COPY": {statement: "COPY "}, "in COMMIT": cutBeforeCommit} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			load := w.prepared(w.worker(url))
			w.gates()
			open := w.shut(1)
			c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
			c.batch("held 1")
			w.awaitHeld(1)
			proxy.arm(fault)
			err := c.writeUntilFailure(testenv.Context(t))
			if fault == cutBeforeCommit {
				if !errors.Is(err, postgres.ErrUncertain) {
					t.Errorf("%v, want ErrUncertain", err)
				}
			} else {
				wantFailure(t, err, events.CodeDatabaseUnavailable)
			}
			c.Close()
			open()
			w.awaitNoBackends()
			w.batchesAre()
		})
	}
}

// Whoever is faster than the database waits, before the memory is full.
func TestWriterWaitsForTheDatabase(t *testing.T) {
	const many = 400
	for name, tt := range map[string]struct {
		config    postgres.CopierConfig
		from, to  int64 // blocks that are taken
		blockSize int
	}{
		"one long batch": {postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 30}, 48, 56, postgres.BlockSize},
		"short batches":  {postgres.CopierConfig{Connections: 3, BatchBytes: 1}, 3, 3, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			w.gates()
			open := w.shut(1)
			ctx := testenv.Context(t)
			c := w.writer(ctx, load, tt.config)
			var written atomic.Int64
			ended := make(chan error, 1)
			go func() {
				for n := range int64(many) {
					data := append(append(c.Buffer(), "held 1\n"...), bytes.Repeat([]byte{'x'}, tt.blockSize-8)...)
					c.end += 10
					if err := c.Write(postgres.Block{Data: append(data, '\n'), Delimiter: ',', Count: 2, FirstLine: 2 * n, End: c.end}); err != nil {
						ended <- err
						return
					}
					written.Add(1)
				}
				ended <- nil
			}()
			before, still := int64(-1), 0
			testenv.Eventually(ctx, t, "the writer waits", func() error {
				now := written.Load()
				if still++; now != before || now < tt.from {
					before, still = now, 0
				}
				if still < 10 {
					return fmt.Errorf("%d blocks are written", now)
				}
				return nil
			})
			if before > tt.to {
				t.Errorf("%d blocks are written, want at most %d", before, tt.to)
			}
			open()
			w.must(<-ended)
			c.wantPublished(2 * many)
		})
	}
}

// A batch waits for no connection but its own, however few there are.
func TestSmallPoolServesJobsOfManyBatches(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	db, err := postgres.Connect(ctx, w.url, 2)
	w.must(err)
	t.Cleanup(db.Close)
	const jobs = 8
	ended := make(chan error, jobs)
	for n := range jobs {
		go func() { ended <- jobOfBatches(ctx, db, "t"+strconv.Itoa(n%4), 6) }() // each name is wanted twice
	}
	for range jobs {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	w.wantList("committed", []string{strconv.Itoa(jobs)}, "SELECT count(*)::text FROM sluice.loads WHERE state = 'committed'")
	w.wantList("batches", []string{strconv.Itoa(jobs * 6)}, "SELECT count(*)::text FROM sluice.batches")
}

func jobOfBatches(ctx context.Context, db *postgres.Database, table string, batches int64) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Schema: "public"})
	if err != nil {
		return err
	}
	if err := load.Prepare(ctx, columns("value"), events.Dialect{}); err != nil {
		return err
	}
	c := load.Copier(ctx, postgres.CopierConfig{Connections: 3, BatchBytes: 1})
	defer c.Close()
	for n := range batches {
		if err := c.Write(block(n, (n+1)*10, [][]byte{[]byte("a")})); err != nil {
			return err
		}
	}
	outcome, err := c.Publish(batches*10, func() postgres.Publication {
		return postgres.Publication{Table: table, Derived: true, At: time.Now()}
	})
	if err == nil && outcome.Result.Rows != batches {
		err = fmt.Errorf("%d rows are published", outcome.Result.Rows)
	}
	return err
}
