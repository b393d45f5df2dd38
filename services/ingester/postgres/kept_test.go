package postgres_test

import (
	"encoding/json"
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
	marks := []postgres.Mark{{Offset: 13, Digest: []byte("a")}, {Offset: 24, Digest: []byte("b")}, {Offset: 30, Digest: []byte("c")}}
	next := 0
	c := w.writer(ctx, first, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20, Mark: func() postgres.Mark {
		next++
		return marks[next-1]
	}})
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
		Marks: marks,
	}
	if !reflect.DeepEqual(kept, want) {
		t.Errorf("kept is\n%+v, want\n%+v", kept, want)
	}
	if from, later := kept.From(); from.Offset != 13 || len(later) != 2 {
		t.Errorf("it can be gone on from %+v, with marks %+v behind", from, later)
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
