package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// extra adds a block of one row with surplus values, which are an array's literal; "" is NULL.
func (c *writer) extra(value, literal string) error {
	row := [][]byte{[]byte(value), nil}
	if literal != "" {
		row[1] = []byte(literal)
	}
	c.end += 10
	b := block(c.end/10, c.end, row)
	b.Extra = true
	return c.Write(b)
}

// wantExtra checks the rows of the dataset, each with its surplus values in JSON, if it has any.
func (w *world) wantExtra(want ...string) {
	w.Helper()
	w.wantList("rows", want, "SELECT value || coalesce(' ' || to_json(_extra)::text, '') FROM "+w.name+" ORDER BY length(value), value")
}

// wantColumns checks the columns of a table.
func (w *world) wantColumns(table string, want ...string) {
	w.Helper()
	w.wantList("columns of "+table, want, `SELECT column_name || ' ' || data_type FROM information_schema.columns
		WHERE table_name = $1 ORDER BY ordinal_position`, table)
}

func TestExtraColumnComesWithItsFirstBlock(t *testing.T) {
	many := func(from, to int, format string) []string {
		var list []string
		for n := from; n < to; n++ {
			list = append(list, strings.ReplaceAll(format, "%", strconv.Itoa(n)))
		}
		return list
	}
	for name, tt := range map[string]struct {
		write         func(c *writer)
		want, batches []string
	}{
		"in the first block": {func(c *writer) {
			c.must(c.extra("1", "{a}"))
			c.must(c.extra("2", ""))
		}, []string{`1 ["a"]`, "2"}, []string{"0-20:2"}},
		"amid a batch": {func(c *writer) {
			c.must(c.write("1"))
			c.must(c.extra("2", "{a}"))
			c.must(c.extra("3", "{b,c}"))
		}, []string{"1", `2 ["a"]`, `3 ["b","c"]`}, []string{"0-10:1", "10-30:2"}},
		"in the last batch": {func(c *writer) {
			c.batch("1")
			c.batch("2")
			c.must(c.extra("3", "{a}"))
		}, []string{"1", "2", `3 ["a"]`}, []string{"0-10:1", "10-20:1", "20-30:1"}},
		"not in blocks after": {func(c *writer) {
			c.must(c.extra("1", "{a}"))
			c.must(c.write("2"))
			c.must(c.extra("3", "{b}"))
		}, []string{`1 ["a"]`, "2", `3 ["b"]`}, []string{"0-10:1", "10-20:1", "20-30:1"}},
		"after rejects": {func(c *writer) {
			c.must(c.reject("x"))
			c.must(c.extra("1", "{a}"))
			c.must(c.reject("y"))
			c.must(c.extra("2", "{b}"))
		}, []string{`1 ["a"]`, `2 ["b"]`}, []string{"0-10:0", "10-40:2"}},
		"amid several connections": {func(c *writer) {
			for _, v := range many(100, 140, "%") {
				c.batch(v)
			}
			for _, v := range many(140, 180, "%") {
				c.must(c.extra(v, "{"+v+"}"))
				c.Cut()
			}
		}, append(many(100, 140, "%"), many(140, 180, `% ["%"]`)...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
			tt.write(c)
			c.wantPublished(int64(len(tt.want)))
			w.wantExtra(tt.want...)
			w.wantColumns(w.name, "value text", "_extra ARRAY")
			if tt.batches != nil {
				w.batchesAre(tt.batches...)
			}
		})
	}
}

func TestExtraValuesArriveAsTheyWere(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	c.must(c.extra("a", `{"say \"so\"","back\\slash","\\","",NULL,"NULL","{}","a,b"," ","`+"\t\r\n"+`","é🐘","\\N","\\."}`))
	c.must(c.extra("b", "{}"))
	c.wantPublished(2)
	rows, err := w.raw.Query(testenv.Context(t), "SELECT _extra FROM "+w.name+" ORDER BY value")
	w.must(err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[[]*string])
	w.must(err)
	want := [][]*string{{}, {}}
	for _, v := range []string{`say "so"`, `back\slash`, `\`, "", "NULL!", "NULL", "{}", "a,b", " ", "\t\r\n", "é🐘", `\N`, `\.`} {
		if v == "NULL!" {
			want[0] = append(want[0], nil)
		} else {
			want[0] = append(want[0], &v)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", texts(got), texts(want))
	}
}

func texts(rows [][]*string) (list [][]string) {
	for _, row := range rows {
		values := make([]string, len(row))
		for i, v := range row {
			if values[i] = "NULL!"; v != nil {
				values[i] = *v
			}
		}
		list = append(list, values)
	}
	return list
}

func TestRejectsAloneNeedNoExtraColumn(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	c.must(c.Write(postgres.Block{Extra: true, End: 10, Rejects: []postgres.Reject{reject(2, 5, "x")}}))
	c.end = 10
	c.must(c.write("a"))
	c.wantPublished(1)
	w.wantColumns(w.name, "value text")
}

func TestWideningWaitsForBatches(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 4, BatchBytes: 1 << 20})
	c.batch("held 1")
	c.must(c.write("held 1"))
	w.awaitHeld(2)
	ended := make(chan error, 1)
	go func() { ended <- c.extra("a", "{b}") }()
	select {
	case err := <-ended:
		t.Fatalf("it has not waited: %v", err)
	default:
	}
	w.wantColumns(w.staging(), "value text")
	w.wantList("statements that wait", nil, `SELECT query FROM pg_stat_activity WHERE datname = current_database()
		AND wait_event_type = 'Lock' AND query NOT LIKE 'COPY %'`)
	open()
	w.must(<-ended)
	w.batchesAre("0-10:1", "10-20:1")
	c.wantPublished(3)
	w.wantExtra(`a ["b"]`, "held 1", "held 1")
}

func TestFailingBatchEndsWidening(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	first := w.shut(1)
	w.shut(2)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 4, BatchBytes: 1 << 20})
	c.batch("held 1", "refused")
	c.must(c.write("held 2"))
	w.awaitHeld(2)
	ended := make(chan error, 1)
	go func() { ended <- c.extra("a", "{b}") }()
	first()
	wantFailure(t, <-ended, events.CodeDatabaseError)
	wantFailure(t, c.extra("a", "{b}"), events.CodeDatabaseError)
	w.wantColumns(w.staging(), "value text")
}

func TestContextEndsWidening(t *testing.T) {
	for name, wait := range map[string]func(w *world){
		"waiting for a batch":   func(w *world) { w.shut(1) },
		"waiting for the table": func(w *world) { w.lockStaging() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			w.gates()
			errWhy := errors.New("this is why")
			ctx, cancel := context.WithCancelCause(testenv.Context(t))
			c := w.writer(ctx, load, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
			wait(w)
			c.must(c.write("held 1"))
			ended := make(chan error, 1)
			go func() { ended <- c.extra("a", "{b}") }()
			w.waitFor("it waits", `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
				AND (query LIKE 'ALTER TABLE %' OR wait_event = 'advisory')`)
			cancel(errWhy)
			if err := <-ended; !errors.Is(err, errWhy) {
				t.Errorf("it fails with %v", err)
			}
			if err := c.write("b"); !errors.Is(err, errWhy) {
				t.Errorf("after that: %v", err)
			}
		})
	}
}

// lockStaging keeps everyone from changing the staging table, not from writing to it.
func (w *world) lockStaging() {
	w.Helper()
	ctx := testenv.Context(w)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	w.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(ctx)) })
	_, err = tx.Exec(ctx, "LOCK TABLE "+w.staging()+" IN ACCESS SHARE MODE")
	w.must(err)
}

func TestFenceIsLostBeforeWidening(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.must(c.write("a"))
	c.must(c.Flush())
	second := w.open(w.worker(w.url), 1)
	w.must(second.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
	before := w.ledger()
	for range 2 {
		w.wantFenceLost("widening", c.extra("b", "{stale}"))
	}
	w.wantFenceLost("writing", c.writeUntilFailure(testenv.Context(t)))
	if after := w.ledger(); !slices.Equal(after, before) {
		t.Errorf("it changed\n%q to\n%q", before, after)
	}
	w.wantColumns(w.staging(), "value text")
	again := w.writer(testenv.Context(t), second, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	again.must(again.write("a"))
	again.must(again.extra("b", "{c}"))
	again.wantPublished(2)
	w.wantExtra("a", `b ["c"]`)
}

// Whoever takes the job over while widening waits for a batch ends the batch's backend.
func TestFenceIsLostWhileWideningWaits(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.must(c.write("held 1"))
	w.awaitHeld(1)
	ended := make(chan error, 1)
	go func() { ended <- c.extra("a", "{b}") }()
	w.open(w.worker(w.url), 1)
	if err := <-ended; !errors.Is(err, postgres.ErrFenceLost) {
		wantFailure(t, err, events.CodeDatabaseUnavailable)
	}
	c.Close()
	w.awaitNoBackends()
	w.wantNothingLeft()
}

// Whether it was frozen, cut off or only slow: what another worker has widened is not there for the next one.
func TestTakeoverOfAWidenedTableBeginsAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		fault *fault
		want  error
	}{
		"widened":                    {nil, nil},
		"frozen before COMMIT":       {&freezeBeforeCommit, errors.New("any")},
		"COMMIT lost":                {&cutBeforeCommit, postgres.ErrUncertain},
		"COMMIT without its answer":  {&cutAfterCommit, postgres.ErrUncertain},
		"frozen in COPY after it":    {&freezeInCopy, nil},
		"cut off in COPY after that": {&fault{statement: "COPY "}, nil},
	} {
		for _, widens := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s widens %t", name, widens), func(t *testing.T) {
				w := newWorld(t)
				proxy, url := throughProxy(t, w.url)
				c := w.writer(testenv.Context(t), w.prepared(w.worker(url)), postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
				c.batch("a")
				c.must(c.Flush())
				if tt.fault != nil {
					proxy.arm(*tt.fault)
				}
				ended := make(chan error, 1)
				go func() { ended <- c.extra("b", "{stale}") }()
				if tt.want == nil {
					w.must(<-ended)
				} else if tt.fault.freeze {
					w.waitFor("the worker is frozen", `SELECT FROM pg_stat_activity WHERE application_name = $1
						AND wait_event = 'ClientRead' AND query LIKE 'ALTER TABLE %'`, "sluice/"+w.job+"/1")
				} else if err := <-ended; !errors.Is(err, tt.want) {
					t.Errorf("%v, want %v", err, tt.want)
				}
				ctx, cancel := context.WithTimeout(t.Context(), atOnce)
				defer cancel()
				second, _, err := w.db.Open(ctx, w.claim(1))
				w.must(err)
				if tt.want != nil && tt.fault.freeze {
					if err := <-ended; err == nil {
						t.Error("the frozen worker has done it")
					}
				}
				w.wantKept(second, "10-")
				w.must(second.Prepare(ctx, postgres.File{Columns: columns("value")}))
				again := w.writer(ctx, second, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
				again.must(again.write("a"))
				want := []string{"value text"}
				if widens {
					again.must(again.extra("b", "{c}"))
					want = append(want, "_extra ARRAY")
				}
				_, err = again.publish()
				w.must(err)
				w.wantColumns(w.name, want...)
			})
		}
	}
}

// A batch of an earlier worker that stays open does not hold up the widening of a later one.
func TestWideningGetsPastAFrozenWorker(t *testing.T) {
	w := newWorld(t)
	proxy, url := throughProxy(t, w.url)
	first := w.prepared(w.worker(url))
	proxy.arm(freezeInCopy)
	ended := make(chan error, 1)
	go func() { ended <- first.Commit(testenv.Context(t), batch(0, 10, "a")) }()
	w.waitFor("the worker is frozen", `SELECT FROM pg_stat_activity WHERE application_name = $1
		AND wait_event = 'ClientRead' AND query LIKE 'COPY %'`, "sluice/"+w.job+"/1")
	ctx, cancel := context.WithTimeout(t.Context(), atOnce)
	defer cancel()
	second, _, err := w.db.Open(ctx, w.claim(1))
	w.must(err)
	if err := <-ended; err == nil {
		t.Error("the frozen worker has done it")
	}
	w.must(second.Prepare(ctx, postgres.File{Columns: columns("value")}))
	c := w.writer(ctx, second, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.must(c.write("a"))
	c.must(c.extra("b", "{c}"))
	c.wantPublished(2)
	w.wantExtra("a", `b ["c"]`)
}

// A table that has as many columns as a table can have takes no other.
func TestNoRoomForTheExtraColumn(t *testing.T) {
	w := newWorld(t)
	load := w.open(w.db, 1)
	w.must(load.Prepare(testenv.Context(t), postgres.File{Columns: numbered(1600)}))
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	b := block(4711, 10, make([][]byte, 1601))
	b.Extra = true
	for range 2 {
		if f := wantFailure(t, c.Write(b), events.CodeTooManyColumns); !strings.HasSuffix(f.Message, "(in the rows from line 4711 on)") {
			t.Errorf("it says %q", f.Message)
		}
	}
}

func TestWideningIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	w.exec("CREATE TABLE sluice.seen (n serial, value text)")
	w.exec(`CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO sluice.seen (value) VALUES (current_setting('synchronous_commit')); END $$`)
	w.exec("CREATE EVENT TRIGGER see ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION see()")
	c.must(c.extra("a", "{b}"))
	c.wantPublished(1)
	w.wantList("commits", []string{"off", "on"}, "SELECT value FROM sluice.seen ORDER BY n")
}

// Widening has no connection while it waits, and waits for none that waits for it.
func TestSmallPoolServesJobsThatWiden(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	db, err := postgres.Connect(ctx, w.url, 2)
	w.must(err)
	t.Cleanup(db.Close)
	const jobs = 8
	ended := make(chan error, jobs)
	for n := range jobs {
		go func() { ended <- jobThatWidens(ctx, db, "t"+strconv.Itoa(n)) }()
	}
	for range jobs {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	for n := range jobs {
		w.wantList("rows", []string{"3 6"}, "SELECT count(_extra) || ' ' || count(*) FROM t"+strconv.Itoa(n))
	}
}

func jobThatWidens(ctx context.Context, db *postgres.Database, table string) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Spec: events.Spec{Schema: "public"}})
	if err != nil {
		return err
	}
	if err := load.Prepare(ctx, postgres.File{Columns: columns("value")}); err != nil {
		return err
	}
	c := load.Copier(ctx, postgres.CopierConfig{Connections: 3, BatchBytes: 1})
	defer c.Close()
	for n := range int64(6) {
		b := block(n, (n+1)*10, [][]byte{[]byte("a")})
		if n >= 3 {
			b = block(n, (n+1)*10, [][]byte{[]byte("a"), []byte("{b}")})
			b.Extra = true
		}
		if err := c.Write(b); err != nil {
			return err
		}
	}
	_, err = c.Publish(60, func() postgres.Publication { return postgres.Publication{Table: table, At: time.Now()} })
	return err
}
