package csv_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

func TestReader(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(plainCases, quoteCases, emptyCases, byteCases, sniffCases, limitCases) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opts := csv.DefaultOptions()
			if c.set != nil {
				c.set(&opts)
			}
			want := outcome{columns: c.columns, records: c.records, failure: c.failure, warnings: c.warnings}
			sources := deliveries(c.in, uint64(len(c.in)))
			for how, src := range sources {
				if len(c.in) > 1<<20 && how != "whole" && how != "random" {
					continue // these differ in nothing but the time they take
				}
				got := read(t, src, int64(len(c.in)), c.in, opts)
				for n := range 3 {
					expectSameRows(t, readRows(t, deliveries(c.in, uint64(n))[how], opts, n), got)
				}
				for _, part := range c.says {
					if !strings.Contains(got.message, part) {
						t.Errorf("%s: %q does not say %q", how, got.message, part)
					}
				}
				got.message = ""
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s:\n got %+v\nwant %+v", how, got, want)
				}
			}
		})
	}
}

func TestReadWithoutColumns(t *testing.T) {
	t.Parallel()
	r := csv.NewReader(strings.NewReader("a\n1\n"), csv.DefaultOptions())
	rec, err := r.Read()
	if err != nil || showRecord(rec) != `2 2-4 "1"` {
		t.Fatalf("Read: %v, %v", rec, err)
	}
	if _, err = r.Read(); err != io.EOF {
		t.Fatalf("Read at the end: %v", err)
	}
	if columns, err := r.Columns(); err != nil || showColumns(columns) != "a" {
		t.Fatalf("Columns at the end: %v, %v", columns, err)
	}
}

func TestZeroOptions(t *testing.T) {
	t.Parallel()
	got := read(t, strings.NewReader("1,\"2\n"), 5, "1,\"2\n", csv.Options{Dialect: csv.Dialect{Delimiter: ","}})
	if want := []string{`1 0-5 "1"|"\"2"`}; !slices.Equal(got.records, want) {
		t.Errorf("got %v, want %v", got.records, want)
	}
}

var errBroken = errors.New("connection reset")

// A record is due only when it is certain where it ends, as that is where reading goes on after a broken connection.
func TestSourceError(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("reading: %w", io.EOF) // not the end
	for _, c := range []struct {
		in      string
		columns string
		records []string
	}{
		{in: ""},
		{in: "<htm"},
		{in: bom[:2]},
		{in: "a,b"},
		{in: "a,b\r"},
		{in: "a,b\n", columns: "a|b"},
		{in: "a,b\n1,2", columns: "a|b"},
		{in: "a,b\n1,", columns: "a|b"},
		{in: "a,b\n1,\"2", columns: "a|b"},
		{in: "a,b\n1,\"2\"", columns: "a|b"},
		{in: "a,b\n1,2\r", columns: "a|b"},
		{in: "a,b\n1,2\r\n", columns: "a|b", records: []string{`2 4-9 "1"|"2"`}},
		{in: "a,b\n1,2\r3", columns: "a|b", records: []string{`2 4-8 "1"|"2"`}},
		{in: "a,b\n1,2\n\n", columns: "a|b", records: []string{`2 4-8 "1"|"2"`}},
	} {
		for _, broken := range []error{errBroken, wrapped, io.ErrUnexpectedEOF, events.Failf(events.CodeSourceStalled, "the source stalled")} {
			r := csv.NewReader(brokenReader(c.in, broken), csv.DefaultOptions())
			columns, err := r.Columns()
			var records []string
			for err == nil {
				var rec csv.Record
				if rec, err = r.Read(); err == nil {
					records = append(records, showRecord(rec))
				}
			}
			if err != broken {
				t.Errorf("%q: got the error %v, want %v", c.in, err, broken)
			}
			if showColumns(columns) != c.columns || !slices.Equal(records, c.records) {
				t.Errorf("%q: got %v and %v, want %v and %v", c.in, showColumns(columns), records, c.columns, c.records)
			}
			if readAgain(r) != broken {
				t.Errorf("%q: the error is not sticky", c.in)
			}
		}
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

func TestSourceWithoutProgress(t *testing.T) {
	t.Parallel()
	if _, err := csv.NewReader(idleReader{}, csv.DefaultOptions()).Columns(); err != io.ErrNoProgress {
		t.Errorf("got %v", err)
	}
}

// endless repeats a byte and counts how often it was asked for it.
type endless struct {
	c    byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.c
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessLines(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]string{
		"a\n":     "field_too_long 2:1:2",
		"a\n\"":   "field_too_long 2:1:2",
		"a,b\n1,": "field_too_long 2:2:6",
	} {
		checkEndless(t, start, 'x', want)
	}
	checkEndless(t, "a\n", ',', "row_too_long 2:0:2")
	checkEndless(t, "", ',', "too_many_columns 1:1601:1600")
	checkEndless(t, "a\n\"", '"', "field_too_long 2:1:2")
	checkEndless(t, "a\n\"", '\n', "field_too_long 2:1:2")
}

func checkEndless(t *testing.T, start string, c byte, want string) {
	t.Helper()
	opts := csv.DefaultOptions()
	opts.Limits.Field, opts.Limits.Row = 100_000, 400_000
	more := &endless{c: c}
	r := csv.NewReader(io.MultiReader(strings.NewReader(start), more), opts)
	_, err := r.Read()
	if got, _ := showError(t, err); got != want {
		t.Errorf("%q and %q without end: got %s, want %s", start, c, got, want)
	}
	if more.read > opts.Limits.Row+256<<10 { // one buffer beyond the limit
		t.Errorf("%q and %q without end: read %d bytes", start, c, more.read)
	}
}

func TestNothingIsAllocatedPerRecord(t *testing.T) {
	r := csv.NewReader(strings.NewReader("a,b,c\n"+strings.Repeat("1,\"x\"\"y\",\n", 5000)), csv.DefaultOptions())
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(4000, func() {
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations per record", allocs)
	}
}

func TestDialectReport(t *testing.T) {
	t.Parallel()
	opts := csv.DefaultOptions()
	want := events.Dialect{Encoding: "UTF-8", Delimiter: ",", Quote: `"`, Escape: `"`, Header: true, HeaderRows: 1, Confidence: 1}
	if got := csv.NewReader(strings.NewReader(""), opts).Dialect(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	opts.Dialect = csv.Dialect{Delimiter: "\t"}
	want = events.Dialect{Encoding: "UTF-8", Delimiter: "\t", Confidence: 1}
	if got := csv.NewReader(strings.NewReader(""), opts).Dialect(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func numbers(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i + 1)
	}
	return list
}

func repeatShort(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`%d %d-%d "1"|NULL`, i+2, 4+2*i, 6+2*i)
	}
	return list
}
