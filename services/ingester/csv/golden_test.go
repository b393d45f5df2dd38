package csv_test

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// goldenCase is a file that is broken or written in some way, and all that a user is to get of it when a job reads it.
type goldenCase struct {
	name     string
	in       string
	set      func(*csv.Options) // what the job says; nil if that is nothing
	columns  string             // names, joined by |
	records  []string           // such as `"1"|NULL`; an array of values without a column stands behind the others
	rejects  []string           // as showReject writes them
	failure  string             // as showError writes it
	warnings string             // as showWarnings writes them
	dialect  []string           // parts of what showDialect writes
}

var goldenCases = map[string][]goldenCase{
	"titles": goldenTitles, "header": goldenHeaders, "names": goldenNames, "no table": goldenNoTable,
	"fields": goldenFields, "lines": goldenLines, "quotes": goldenQuotes, "escapes": goldenEscapes, "other quotes": goldenOtherQuotes,
	"delimiters": goldenDelimiters, "comments": goldenComments, "null": goldenNulls,
	"encodings": goldenEncodings, "values": goldenValues, "rejects": goldenRejects, "limits": goldenBounds,
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for group, cases := range goldenCases {
		for _, c := range cases {
			t.Run(group+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				checkGolden(t, c)
			})
		}
	}
}

func checkGolden(t *testing.T, c goldenCase) {
	t.Helper()
	opts := production(c.set)
	want := outcome{columns: c.columns, records: c.records, failure: c.failure, warnings: c.warnings}
	again := deliveries(c.in, uint64(len(c.in)))
	for how, src := range deliveries(c.in, uint64(len(c.in))) {
		if len(c.in) > 1<<20 && how != "whole" && how != "random" {
			continue // these differ in nothing but the time they take
		}
		got := readAll(t, src, opts)
		var rejects []string
		got.records, rejects = withoutRejects(got.records)
		got.message = ""
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s:\n got %+v\nwant %+v", how, got, want)
		}
		if !slices.Equal(rejects, c.rejects) {
			t.Fatalf("%s:\n got the rejects %v\nwant %v", how, rejects, c.rejects)
		}
		dialect := dialectOf(again[how], opts)
		for _, part := range c.dialect {
			if !strings.Contains(dialect, part+";") {
				t.Fatalf("%s: the dialect is %s\nwant %s", how, dialect, part)
			}
		}
	}
}

// FuzzGolden holds that what a job reads does not depend on how the file is delivered.
func FuzzGolden(f *testing.F) {
	for _, cases := range goldenCases {
		for _, c := range cases {
			if len(c.in) < 1<<10 {
				f.Add([]byte(c.in), int64(len(c.in)%3))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, bad int64) {
		if len(data) > 1<<13 {
			return
		}
		opts := production(rejecting(bad & 0xF))
		opts.Rescue, opts.Snake = bad>>4&1 == 0, bad>>5&1 == 1
		var first, firstDialect string
		for how, src := range deliveries(string(data), uint64(len(data))) {
			got := fmt.Sprintf("%+v", readAll(t, src, opts))
			dialect := dialectOf(deliveries(string(data), uint64(len(data)))[how], opts)
			if first == "" {
				first, firstDialect = got, dialect
			}
			if got != first || dialect != firstDialect {
				t.Fatalf("%s of %q:\n got %s %s\nwant %s %s", how, data, got, dialect, first, firstDialect)
			}
		}
	})
}

// production is how the ingester reads what a job says so much of.
func production(set func(*csv.Options)) csv.Options {
	opts := csv.Options{Stated: &csv.Stated{}, Mend: true, Rescue: true}
	if set != nil {
		set(&opts)
	}
	return opts
}

// withoutRejects parts what readAll tells. Records begin with a value, a reject with its code.
func withoutRejects(list []string) (records, rejects []string) {
	for _, line := range list {
		if unicode.IsLower(rune(line[0])) {
			rejects = append(rejects, line)
		} else {
			records = append(records, line)
		}
	}
	return records, rejects
}

func dialectOf(src io.Reader, opts csv.Options) string {
	r := csv.NewReader(src, opts)
	if _, err := r.Columns(); err != nil {
		return err.Error()
	}
	return showDialect(r.Dialect())
}

// showDialect writes such as `encoding UTF-8; delimiter ","; quote "; escape "; header 1; skip 0; comment ; line end lf;`.
func showDialect(d events.Dialect) string {
	return fmt.Sprintf("encoding %s; delimiter %q; quote %s; escape %s; header %d; skip %d; comment %s; line end %s;",
		d.Encoding, d.Delimiter, d.Quote, d.Escape, d.HeaderRows, d.SkipRows, d.Comment, d.LineEnd)
}

// What a job may say.

func states(parts ...func(*csv.Stated)) func(*csv.Options) {
	return func(o *csv.Options) {
		for _, part := range parts {
			part(o.Stated)
		}
	}
}

func encoding(label string) func(*csv.Stated) { return func(s *csv.Stated) { s.Encoding = label } }
func delimiter(d string) func(*csv.Stated)    { return func(s *csv.Stated) { s.Delimiter = &d } }
func quote(q string) func(*csv.Stated)        { return func(s *csv.Stated) { s.Quote = &q } }
func escape(e string) func(*csv.Stated)       { return func(s *csv.Stated) { s.Escape = &e } }
func header(is bool) func(*csv.Stated)        { return func(s *csv.Stated) { s.Header = &is } }
func headerRows(n int) func(*csv.Stated)      { return func(s *csv.Stated) { s.HeaderRows = n } }
func skipRows(n int) func(*csv.Stated)        { return func(s *csv.Stated) { s.SkipRows = &n } }
func comment(c string) func(*csv.Stated)      { return func(s *csv.Stated) { s.Comment = c } }

func allowHTML(s *csv.Stated) { s.AllowHTML = true }

func rejecting(n int64) func(*csv.Options) {
	return func(o *csv.Options) { o.BadRows = csv.BadRows{Count: n} }
}

func rejectingPercent(p float64) func(*csv.Options) {
	return func(o *csv.Options) { o.BadRows = csv.BadRows{Percent: p} }
}

func nulls(words ...string) func(*csv.Options) {
	return func(o *csv.Options) { o.Null = append([]string{}, words...) }
}

func served(charset string) func(*csv.Options) { return func(o *csv.Options) { o.Charset = charset } }

func snake(o *csv.Options)       { o.Snake = true }
func rejectExtra(o *csv.Options) { o.Rescue = false }

// both joins what a job says.
func both(list ...func(*csv.Options)) func(*csv.Options) {
	return func(o *csv.Options) {
		for _, set := range list {
			set(o)
		}
	}
}

// The table that most cases have.

const (
	people = "id,name,born\n1,Ann,1990-01-31\n2,Bob,1985-07-02\n3,Cy,2001-11-30\n"

	peopleColumns = "id|name|born"

	ann, bob, cy = `"1"|"Ann"|"1990-01-31"`, `"2"|"Bob"|"1985-07-02"`, `"3"|"Cy"|"2001-11-30"`
)

var peopleRows = []string{ann, bob, cy}

// second is the table with another second row, which is in line 3 at offset 30.
func second(row string) string {
	return "id,name,born\n1,Ann,1990-01-31\n" + row + "\n3,Cy,2001-11-30\n"
}

// around lists the records of the table with others for the second one.
func around(records ...string) []string { return append(append([]string{ann}, records...), cy) }

// written is the table with another delimiter.
func written(delimiter string) string { return strings.ReplaceAll(people, ",", delimiter) }

// ended is the table with other line ends.
func ended(lineEnd string) string { return strings.ReplaceAll(people, "\n", lineEnd) }

func repeat(n int, record string) []string { return slices.Repeat([]string{record}, n) }
