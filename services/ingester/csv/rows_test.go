package csv_test

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// readRows reads a file to its end in the form of COPY, and tells what it read as read does. The pieces are handed over
// when they are full, and each n-th time besides; 0 stands for never.
func readRows(t *testing.T, src io.Reader, opts csv.Options, n int) outcome {
	t.Helper()
	r := csv.NewReader(src, opts)
	columns, err := r.Columns()
	got := outcome{columns: showColumns(columns)}
	rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
	var ends []string
	for calls := 1; err == nil; calls++ {
		var full bool
		if full, err = r.ReadRows(&rows); full && rows.Count == 0 {
			t.Fatal("rows without a record are full")
		}
		if full || err != nil || n > 0 && calls%n == 0 {
			records := decodeRows(t, rows, len(columns))
			if rows.Count > 0 {
				ends = append(ends, fmt.Sprintf("%d: %d..%d", len(got.records), rows.FirstLine, rows.End))
			}
			got.records = append(got.records, records...)
			rows = csv.Rows{Data: rows.Data[:0]}
		}
	}
	if _, again := r.ReadRows(&rows); again != err {
		t.Errorf("the error is not sticky: first %v, then %v", err, again)
	}
	got.failure, got.message = showError(t, err)
	got.warnings = showWarnings(r.TakeWarnings())
	got.places = ends
	return got
}

// decodeRows reads the text format of COPY, as Postgres does.
func decodeRows(t *testing.T, rows csv.Rows, columns int) []string {
	t.Helper()
	var list []string
	data := rows.Data
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			t.Fatalf("the last line has no end: %q", data)
		}
		list = append(list, decodeRow(t, data[:end], rows, columns))
		data = data[end+1:]
	}
	if int64(len(list)) != rows.Count {
		t.Errorf("%d lines are counted as %d rows", len(list), rows.Count)
	}
	return list
}

func decodeRow(t *testing.T, line []byte, rows csv.Rows, columns int) string {
	t.Helper()
	values := decodeValues(t, line, rows)
	if len(values) != columns {
		t.Errorf("%q has %d values, not %d", line, len(values), columns)
	}
	shown := make([]string, len(values))
	for i, value := range values {
		shown[i] = showValue(value)
	}
	return strings.Join(shown, "|")
}

func decodeValues(t *testing.T, line []byte, rows csv.Rows) [][]byte {
	t.Helper()
	var values [][]byte
	raw, value := []byte{}, []byte{}
	end := func() {
		if string(raw) == rows.Null {
			value = nil
		}
		values = append(values, value)
		raw, value = []byte{}, []byte{}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch c {
		case rows.Delimiter:
			end()
			continue
		case '\r', 0:
			t.Errorf("%q holds %q", line, c)
		case '\\':
			raw = append(raw, c)
			i++
			if i == len(line) {
				t.Fatalf("%q ends with an escape", line)
			}
			switch c = line[i]; c {
			case 'n':
				value = append(value, '\n')
			case 'r':
				value = append(value, '\r')
			case '\\', rows.Delimiter:
				value = append(value, c)
			default:
				if c != 'N' {
					t.Errorf("%q has the escape %q", line, c)
				}
			}
			raw = append(raw, c)
			continue
		}
		raw, value = append(raw, c), append(value, c)
	}
	end()
	return values
}

// expectSameRows compares what ReadRows and Read make of a file.
func expectSameRows(t *testing.T, rows, records outcome) {
	t.Helper()
	want := records
	want.records = nil
	lines, ends := make([]string, len(records.records)), make([]string, len(records.records))
	for i, r := range records.records {
		place, values, _ := strings.Cut(r, " ")
		offsets, values, _ := strings.Cut(values, " ")
		_, end, _ := strings.Cut(offsets, "-")
		lines[i], ends[i] = place, end
		want.records = append(want.records, values)
	}
	for i, piece := range rows.places {
		last := len(records.records) - 1
		if i+1 < len(rows.places) {
			fmt.Sscanf(rows.places[i+1], "%d:", &last)
			last--
		}
		var first int
		fmt.Sscanf(piece, "%d:", &first)
		if first > last || last >= len(lines) {
			continue // the records differ, which is told below
		}
		if want := fmt.Sprintf("%d: %s..%s", first, lines[first], ends[last]); piece != want {
			t.Errorf("the piece is %s, want %s", piece, want)
		}
	}
	rows.places = nil
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("as rows:\n got %+v\nwant %+v", rows, want)
	}
}

// TestRowsDoNotWaitForTheNextOne holds that rows which are there can be had while the one behind them comes bit by bit.
func TestRowsDoNotWaitForTheNextOne(t *testing.T) {
	bits := []string{"a,b\n", "1,", "2\n", "3", ",\"", "4\n", "\"", ",\n"}
	next := 0
	src := readerFunc(func(p []byte) (int, error) {
		if next == len(bits) {
			return 0, io.EOF
		}
		next++
		return copy(p, bits[next-1]), nil
	})
	r := csv.NewReader(src, csv.DefaultOptions())
	rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
	if _, err := r.Columns(); err != nil {
		t.Fatal(err)
	}
	for next < len(bits) {
		before := next
		if full, err := r.ReadRows(&rows); full || err != nil {
			t.Fatalf("full %t, %v", full, err)
		}
		if next > before+1 {
			t.Errorf("a call waited %d times behind %q", next-before, bits[:before])
		}
	}
	if _, err := r.ReadRows(&rows); err != nil && err != io.EOF || rows.Count != 2 {
		t.Errorf("%d rows, %v", rows.Count, err)
	}
}

// readerFunc is a source that is a function.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
