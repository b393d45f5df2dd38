package postgres_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// TestKeptIsGoneOnWith lets a second worker fill what a first one left out, in whatever order that committed.
func TestKeptIsGoneOnWith(t *testing.T) {
	rows := map[int64]string{0: "a", 10: "b", 20: "c", 30: "d", 40: "e"}
	for name, tt := range map[string]struct {
		committed []int64 // where the batches start
		gaps      []string
		fill      []int64
	}{
		"nothing":              {nil, nil, []int64{0, 10, 20, 30}},
		"the first":            {[]int64{0}, []string{"10-"}, []int64{10, 20, 30}},
		"all but the last":     {[]int64{0, 10, 20, 30}, []string{"40-"}, nil},
		"all":                  {[]int64{0, 10, 20, 30, 40}, []string{"50-"}, nil},
		"with a gap":           {[]int64{0, 20}, []string{"10-20", "30-"}, []int64{10, 30}},
		"all but the first":    {[]int64{10, 20, 30}, []string{"0-10", "40-"}, []int64{0}},
		"in another order":     {[]int64{30, 10}, []string{"0-10", "20-30", "40-"}, []int64{0, 20}},
		"with a gap of two":    {[]int64{30, 0}, []string{"10-30", "40-"}, []int64{10, 20}},
		"the last alone":       {[]int64{40}, []string{"0-40", "50-"}, []int64{0, 10, 20, 30}},
		"the last and a first": {[]int64{40, 0}, []string{"10-40", "50-"}, []int64{10, 20, 30}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first := w.prepared(w.db)
			for _, start := range tt.committed {
				w.commit(first, batch(start, start+10, rows[start]))
			}
			second := w.open(w.worker(w.url), 1)
			w.wantKept(second, tt.gaps...)
			if tt.gaps == nil {
				w.must(second.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
			}
			for _, start := range tt.fill {
				w.commit(second, batch(start, start+10, rows[start]))
			}
			last := batch(40, 50, rows[40])
			if len(tt.gaps) > 0 && tt.gaps[len(tt.gaps)-1] == "50-" {
				last = batch(50, 50)
			}
			outcome := w.publish(second, last)
			if outcome.Result.Rows != 5 {
				t.Errorf("%d rows", outcome.Result.Rows)
			}
			w.wantRows(w.name, "a", "b", "c", "d", "e")
			w.wantTables(w.name)
		})
	}
}

// TestKeptTellsHowTheFileWasRead holds that a later attempt learns all that the first one has decided and counted.
func TestKeptTellsHowTheFileWasRead(t *testing.T) {
	w := newWorld(t)
	file := postgres.File{
		Columns:  columns("value"),
		Dialect:  events.Dialect{Encoding: "windows-1252", Delimiter: ";", Header: true, HeaderRows: 1, Confidence: 0.9},
		Source:   json.RawMessage(`{"etag": "\"1\""}`),
		Warnings: []events.Warning{{Code: events.WarnTitleLines, Count: 1, Lines: []int64{1}}},
		Begin:    3, Line: 2,
	}
	ctx := testenv.Context(t)
	first := w.open(w.db, 1)
	w.must(first.Prepare(ctx, file))
	mark := func(at int64) postgres.Mark { return postgres.Mark{Offset: at, Digest: []byte{byte(at)}} }
	marks := func(around int64) (before, behind postgres.Mark) { return mark(around - 2), mark(around + 3) }
	c := w.writer(ctx, first, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20, Marks: marks})
	short := events.Warning{Code: events.WarnShortRow, Count: 1, Lines: []int64{3}}
	c.Skip(3)
	one := block(2, 10, [][]byte{[]byte("a")})
	one.NextLine, one.Warnings = 5, []events.Warning{short}
	w.must(c.Write(one))
	w.must(c.Flush())
	two := block(5, 20, [][]byte{[]byte("b")}, [][]byte{[]byte("c")})
	two.NextLine, two.Rejects = 9, []postgres.Reject{{Line: 7, Offset: 15, Code: events.CodeNULByte, Reason: "a NUL", Raw: "x"}}
	two.Warnings = []events.Warning{{Code: events.WarnShortRow, Count: 2, Lines: []int64{5, 6}}}
	w.must(c.Write(two))
	w.must(c.Flush())
	c.Skip(25)
	w.must(c.Write(block(11, 30, [][]byte{[]byte("e")})))
	w.must(c.Flush())

	second := w.open(w.worker(w.url), 1)
	kept := second.Kept()
	want := &postgres.Kept{
		File: file, FirstBad: "a NUL",
		Gaps:  []postgres.Gap{{Start: 20, Line: 9, End: 25, Rows: 3, Rejected: 1}, {Start: 30, End: -1, Rows: 4, Rejected: 1}},
		Marks: []postgres.Mark{mark(8), mark(13), mark(18), mark(23), mark(28), mark(33)},
	}
	if !reflect.DeepEqual(kept, want) {
		t.Errorf("kept is\n%+v, want\n%+v", kept, want)
	}
	if from, others := kept.From(); from.Offset != 18 || len(others) != 5 {
		t.Errorf("it can be gone on from %+v, with marks %+v besides", from, others)
	}
	again := w.writer(ctx, second, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	again.Skip(20)
	w.must(again.Write(block(9, 25, [][]byte{[]byte("d")})))
	again.Skip(30)
	outcome, err := again.Publish(31, w.publication)
	w.must(err)
	warnings := []events.Warning{file.Warnings[0], {Code: events.WarnShortRow, Count: 3, Lines: []int64{3, 5, 6}}}
	if r := outcome.Result; r.Rows != 5 || r.Rejected != 1 || !reflect.DeepEqual(r.Warnings, warnings) {
		t.Errorf("published as %+v", r)
	}
	w.wantRows(w.name, "a", "b", "c", "d", "e")
	w.wantList("rejects", []string{"15"}, "SELECT byte_offset::text FROM sluice.rejects")
}

// TestKeptOfAWidenedTable holds that a later attempt knows whether the staging table has the column for surplus values.
func TestKeptOfAWidenedTable(t *testing.T) {
	for name, widened := range map[string]bool{"widened": true, "not widened": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			c := w.writer(ctx, w.prepared(w.db), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
			c.batch("a")
			if widened {
				w.must(c.extra("b", "{x}"))
			} else {
				c.batch("b")
			}
			w.must(c.Flush())
			again := w.writer(ctx, w.open(w.worker(w.url), 1), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
			again.end = c.end
			again.Skip(c.end)
			w.must(again.extra("c", "{y}"))
			again.wantPublished(3)
			w.wantRows(w.name, "a", "b", "c")
			w.wantColumns(w.name, "value text", "_extra ARRAY")
		})
	}
}

// TestKeptIsOfOneRunOnly holds that a newer run begins anew, and so does one whose staging table is gone.
func TestKeptIsOfOneRunOnly(t *testing.T) {
	for name, lose := range map[string]func(w *world) int{
		"newer run":       func(*world) int { return 2 },
		"without staging": func(w *world) int { w.exec("DROP TABLE " + w.staging()); return 1 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.commit(w.prepared(w.db), batch(0, 10, "a"))
			run := lose(w)
			again := w.open(w.worker(w.url), run)
			w.wantKept(again)
			w.must(again.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
			w.publish(again, batch(0, 10, "b"))
			w.wantRows(w.name, "b")
		})
	}
}

// TestEndOfAResumedRunLeavesNothing holds that what was kept goes with the run, and that its rejects outlive a failure.
func TestEndOfAResumedRunLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.commit(w.prepared(w.db), batch(0, 10, "a"))
	again := w.open(w.worker(w.url), 1)
	_, err := again.Fail(testenv.Context(t), *events.Failf(events.CodeNotCSV, "it is not"), events.Figures{}, w.publication().At)
	w.must(err)
	w.wantNothingLeft()
}

// TestKeptOfATableWithItsOwnExtra holds that a file's own column of that name is not taken for the one of surplus values.
func TestKeptOfATableWithItsOwnExtra(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	first := w.open(w.db, 1)
	w.must(first.Prepare(ctx, postgres.File{Columns: columns("value", "_extra")}))
	c := w.writer(ctx, first, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	w.must(c.Write(block(1, 10, [][]byte{[]byte("a"), []byte("x")})))
	w.must(c.Flush())
	second := w.open(w.worker(w.url), 1)
	second.Spec.Mode = events.Append
	w.exec("CREATE TABLE " + w.name + " (value text, _extra text)")
	again := w.writer(ctx, second, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	again.Skip(10)
	w.must(again.Write(block(2, 20, [][]byte{[]byte("b"), []byte("y")})))
	_, err := again.Publish(20, w.publication)
	w.must(err)
	w.wantRows(w.name, "a", "b")
}

// TestColumnLostInACrash holds that a load whose table the server has from before it was widened is opened again, and then
// makes up for all that was lost.
func TestColumnLostInACrash(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	c := w.writer(ctx, w.prepared(w.db), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	c.batch("a")
	w.must(c.extra("b", "{x}"))
	w.must(c.Flush())
	w.exec("ALTER TABLE " + w.staging() + " DROP COLUMN _extra")
	w.exec("DELETE FROM " + w.staging() + " WHERE value = 'b'")
	w.exec("DELETE FROM sluice.batches WHERE batch = 2")
	w.must(c.extra("c", "{y}"))
	if err := c.Flush(); !errors.Is(err, postgres.ErrFenceLost) {
		t.Fatalf("writing ended with %v", err)
	}
	load := w.open(w.worker(w.url), 1)
	w.wantKept(load, "10-")
	again := w.writer(ctx, load, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	again.end = 10
	again.Skip(10)
	w.must(again.extra("b", "{x}"))
	w.must(again.extra("c", "{y}"))
	again.wantPublished(3)
	w.wantRows(w.name, "a", "b", "c")
}

// TestNothingIsKeptOfAnOlderSluice holds that batches are not gone on with of which is not known where the rows began.
func TestNothingIsKeptOfAnOlderSluice(t *testing.T) {
	w := newWorld(t)
	w.commit(w.prepared(w.db), batch(7, 17, "a"))
	w.exec("UPDATE sluice.batches SET attempt = NULL, next_line = NULL")
	w.exec("UPDATE sluice.loads SET begin_offset = NULL, begin_line = NULL")
	load := w.open(w.worker(w.url), 1)
	w.wantKept(load)
	w.wantTables()
}

// TestProgressOutlivesWhatIsDiscarded holds that an attempt which begins anew is one in vain, whatever it commits, and that
// those which go on with it are not.
func TestProgressOutlivesWhatIsDiscarded(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	want := func(attempt, progress int, discard bool, commit ...*postgres.Batch) {
		t.Helper()
		claim := w.claim(1)
		claim.Attempt = attempt
		load, _, err := w.db.Open(ctx, claim)
		w.must(err)
		if discard {
			w.must(load.Prepare(ctx, postgres.File{Columns: columns("value")}))
		}
		for _, b := range commit {
			w.commit(load, b)
		}
		if got := load.Progress(); got != progress {
			t.Errorf("attempt %d: the latest that came further is %d, want %d", attempt, got, progress)
		}
	}
	want(1, 0, false)
	want(2, 2, true, batch(0, 10, "a"))
	want(3, 3, false, batch(10, 20, "b"))
	want(4, 3, true)
	want(5, 3, false)
	want(6, 6, true, batch(0, 10, "c"))
	want(7, 7, false, batch(10, 20, "d"))
	want(8, 7, true, batch(0, 10, "e"))
	want(9, 7, true, batch(0, 10, "f"))
	want(10, 7, false)
}
