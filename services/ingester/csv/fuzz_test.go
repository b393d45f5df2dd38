package csv_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// FuzzReader reads any bytes in many dialects, compares with the reference, and checks the names of the columns.
func FuzzReader(f *testing.F) {
	for _, c := range slices.Concat(plainCases, quoteCases, emptyCases, byteCases, sniffCases, limitCases) {
		if len(c.in) < 1<<10 {
			f.Add([]byte(c.in), uint16(0))
			f.Add([]byte(c.in), uint16(0xFFFF))
		}
	}
	f.Add([]byte(strings.Repeat("\r\n", 2046)+"  <html>"), uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, how uint16) {
		if len(data) > 1<<13 {
			t.Skip()
		}
		text, opts := string(data), fuzzOptions(how)
		want := readReference(text, opts)
		var first outcome
		for delivery, src := range deliveries(text, uint64(how)) {
			got := read(t, src, int64(len(text)), text, opts)
			for n := range 3 {
				expectSameRows(t, readRows(t, deliveries(text, uint64(n))[delivery], opts, n), got)
			}
			if first.message == "" {
				first = got
			}
			if got.message != first.message {
				t.Errorf("%s: got the message %q, and %q otherwise", delivery, got.message, first.message)
			}
			want.columns, want.message = got.columns, got.message // the reference names nothing
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s of %q:\n got %+v\nwant %+v", delivery, text, got, want)
			}
		}
		if columns, err := csv.NewReader(strings.NewReader(text), opts).Columns(); err == nil && opts.Dialect.HeaderRows > 0 {
			checkNames(t, columns)
		}
	})
}

// fuzzOptions makes a dialect and limits out of some bits.
func fuzzOptions(how uint16) csv.Options {
	opts := csv.DefaultOptions()
	opts.Dialect.HeaderRows = 1 - int(how&1)
	opts.Dialect.Quote = []byte{'"', '"', '\'', 0}[how>>1&3]
	opts.Dialect.Delimiter = []string{",", ",", ";", "\t"}[how>>3&3]
	if opts.Dialect.Quote != 0 {
		opts.Dialect.Escape = []byte{0, opts.Dialect.Quote, '\\', '^'}[how>>8&3]
	}
	if how>>5&1 == 1 {
		opts.Limits.Field = 5
	}
	if how>>6&1 == 1 {
		opts.Limits.Row = 12
	}
	if how>>7&1 == 1 {
		opts.Limits.Columns = 3
	}
	return opts
}
