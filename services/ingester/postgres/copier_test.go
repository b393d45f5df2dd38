package postgres_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/services/ingester/postgres"
)

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
