package csv_test

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// readAll reads a file to its end as readRows does. An array of values without a column stands behind the columns, and
// rejects are told among the rows as showReject writes them.
func readAll(t *testing.T, src io.Reader, opts csv.Options) outcome {
	t.Helper()
	r := csv.NewReader(src, opts)
	columns, err := r.Columns()
	got := outcome{columns: showColumns(columns)}
	rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
	for err == nil {
		var full bool
		if full, err = r.ReadRows(&rows); !full && err == nil {
			continue
		}
		if len(rows.Rejects) == 0 && rows.Count == 0 && err == nil {
			t.Fatal("rows without a record are full")
		}
		width := len(columns)
		if rows.Extra {
			width++
		}
		got.records = append(got.records, decodeRows(t, rows, width)...)
		for _, reject := range rows.Rejects {
			got.records = append(got.records, showReject(reject))
		}
		rows = csv.Rows{Data: rows.Data[:0]}
	}
	got.failure, got.message = showError(t, err)
	got.warnings = showWarnings(r.TakeWarnings())
	return got
}

// showReject writes code, line, column, offset and text, such as `nul_byte 2:1:4 "..."`.
func showReject(r csv.Reject) string {
	return fmt.Sprintf("%s %d:%d:%d %q", r.Code, r.Line, r.Column, r.Offset, r.Raw)
}

// FuzzTolerantReader holds that what a file is read as does not depend on how it is delivered, and that nothing is mended
// or rejected in a file that is as it should be.
func FuzzTolerantReader(f *testing.F) {
	for _, c := range slices.Concat(plainCases, quoteCases, emptyCases, byteCases, sniffCases, limitCases) {
		if len(c.in) < 1<<10 {
			f.Add([]byte(c.in), uint16(0))
			f.Add([]byte(c.in), uint16(0xFFFF))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, how uint16) {
		if len(data) > 1<<13 {
			return // it would say nothing that a shorter one does not
		}
		text, opts := string(data), fuzzOptions(how)
		strict := readAll(t, strings.NewReader(text), opts)
		opts.Mend = how>>10&1 == 0
		opts.Rescue = how>>11&1 == 0
		opts.BadRows = []csv.BadRows{{}, {Count: 1}, {Count: 1 << 40}, {Percent: 50}}[how>>12&3]
		if how>>14&1 == 1 {
			opts.Null = []string{"NA", `\N`, "1"}
			strict.failure = "not comparable"
		}
		if how>>15&1 == 1 {
			opts.Dialect.Delimiter += opts.Dialect.Delimiter[:1]
			opts.Dialect.Comment = "#"
			strict.failure = "not comparable"
		}
		if how>>1&0x1F == 3 {
			opts.Stated = &csv.Stated{} // the rest is said by other bits
			strict.failure = "not comparable"
		}
		var first outcome
		for delivery, src := range deliveries(text, uint64(how)) {
			got := readAll(t, src, opts)
			if strict.failure == "" && !reflect.DeepEqual(got, strict) {
				t.Fatalf("%s of %q:\n got %+v\nwant %+v", delivery, text, got, strict)
			}
			if first.columns == "" {
				first = got
			}
			if !reflect.DeepEqual(got, first) {
				t.Fatalf("%s of %q:\n got %+v\nwant %+v", delivery, text, got, first)
			}
		}
	})
}
