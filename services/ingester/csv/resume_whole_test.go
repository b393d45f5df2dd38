package csv_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// border is the end of a row, or the begin of the first one.
type border struct {
	offset, line int64
	records      []string         // of the row that ends there: one or none
	rejects      []string         // likewise
	warnings     []events.Warning // of that row
}

// whole is a file that was read from its start, row by row.
type whole struct {
	text     string
	opts     csv.Options
	columns  []events.Column
	dialect  events.Dialect
	firstBad string
	borders  []border
	failure  string // as showError writes it, with the message
}

// readWhole reads a file. It has no borders if it has no columns.
func readWhole(t *testing.T, text string, opts csv.Options) *whole {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text), opts)
	w := &whole{text: text, opts: opts}
	var err error
	if w.columns, err = r.Columns(); err != nil {
		return w
	}
	w.dialect = r.Dialect()
	first := border{warnings: r.TakeWarnings()}
	first.offset, first.line = r.Begin()
	w.borders = append(w.borders, first)
	for err == nil {
		var rows csv.Rows
		err = r.ReadRow(&rows)
		if rows.Empty() {
			continue
		}
		b := border{offset: rows.End, line: rows.NextLine, warnings: r.TakeWarnings()}
		b.records, b.rejects = showRows(t, rows, len(w.columns))
		if len(rows.Rejects) > 0 && w.firstBad == "" {
			w.firstBad = rows.Rejects[0].Reason
		}
		w.borders = append(w.borders, b)
	}
	w.failure = showEnd(t, err)
	return w
}

func showEnd(t *testing.T, err error) string {
	t.Helper()
	place, message := showError(t, err)
	return strings.TrimSpace(place + " " + message)
}

// showRows writes records and rejects, all records in the same way whether or not the rows have an array besides.
func showRows(t *testing.T, rows csv.Rows, columns int) (records, rejects []string) {
	t.Helper()
	if rows.Extra {
		columns++
	}
	if rows.Lines {
		columns++
	}
	records = decodeRows(t, rows, columns)
	for i := range records {
		if rows.Lines {
			at := strings.LastIndexByte(records[i], '|')
			records[i] = records[i][at+1:] + ": " + records[i][:at]
		}
		if rows.Extra {
			records[i] = strings.TrimSuffix(records[i], "|NULL")
		}
	}
	for _, r := range rows.Rejects {
		rejects = append(rejects, showReject(r)+" "+r.Name+" "+r.Reason)
	}
	return records, rejects
}

// between is what the rows from one border to another are read as.
func (w *whole) between(from, to int) section {
	var s section
	var warnings [][]events.Warning
	for _, b := range w.borders[from+1 : to+1] {
		s.records, s.rejects = append(s.records, b.records...), append(s.rejects, b.rejects...)
		warnings = append(warnings, b.warnings)
	}
	s.warnings = showWarnings(events.MergeWarnings(warnings...))
	if to == len(w.borders)-1 {
		s.failure = w.failure
	}
	return s
}

// resume says how to read on from one border to another, or to the end of the file.
func (w *whole) resume(from, to int) *csv.Resume {
	before := w.between(0, from)
	r := &csv.Resume{
		Columns: w.columns, Dialect: w.dialect, Offset: w.borders[from].offset, Line: w.borders[from].line,
		Read: int64(len(before.records)), Rejected: int64(len(before.rejects)),
	}
	if r.Rejected > 0 {
		r.FirstBad = w.firstBad
	}
	if to < len(w.borders)-1 {
		r.End = w.borders[to].offset
	}
	return r
}

// senseless reports what is never resumed: nothing at the start of the file, and what is behind a reject too many.
func (w *whole) senseless(from, to int) bool {
	last := len(w.borders) - 1
	return to < last && w.borders[to].offset == 0 ||
		from == last && w.borders[last].rejects != nil && strings.HasPrefix(w.failure, string(events.CodeTooManyBadRows))
}

// section is what a part of a file was read as.
type section struct {
	records, rejects  []string
	warnings, failure string
}

// differs shows where a section differs first.
func (s section) differs(want section) string {
	got, all := slices.Concat(s.records, s.rejects), slices.Concat(want.records, want.rejects)
	for i := range min(len(got), len(all)) {
		if got[i] != all[i] {
			return fmt.Sprintf("row %d is %.500s, want %.500s", i, got[i], all[i])
		}
	}
	return fmt.Sprintf("%d rows, %s, %s, want %d, %s, %s", len(got), s.warnings, s.failure, len(all), want.warnings, want.failure)
}

// readSection reads on from one border to another in the form of COPY.
func (w *whole) readSection(t *testing.T, src io.Reader, from, to int) section {
	t.Helper()
	opts := w.opts
	opts.Resume = w.resume(from, to)
	r := csv.NewReader(src, opts)
	columns, err := r.Columns()
	if showColumns(columns) != showColumns(w.columns) || r.Dialect() != w.dialect {
		t.Errorf("resumed with the columns %v and the dialect %+v", columns, r.Dialect())
	}
	var got section
	var warnings [][]events.Warning
	rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
	for err == nil {
		if _, err = r.ReadRows(&rows); rows.Empty() {
			continue
		}
		records, rejects := showRows(t, rows, len(w.columns))
		got.records, got.rejects = append(got.records, records...), append(got.rejects, rejects...)
		warnings = append(warnings, r.TakeWarnings())
		w.expectBorder(t, rows, from+len(got.records)+len(got.rejects))
		rows = csv.Rows{Data: rows.Data[:0]}
	}
	if rejected := opts.Resume.Rejected + int64(len(got.rejects)); r.Rejected() != rejected {
		t.Errorf("%d are told as rejected, not %d", r.Rejected(), rejected)
	}
	got.failure = showEnd(t, err)
	got.warnings = showWarnings(events.MergeWarnings(warnings...))
	return got
}

func (w *whole) expectBorder(t *testing.T, rows csv.Rows, n int) {
	t.Helper()
	if n >= len(w.borders) || rows.End != w.borders[n].offset || rows.NextLine != w.borders[n].line {
		t.Errorf("the rows end before byte %d, line %d, which is not border %d", rows.End, rows.NextLine, n)
	}
}
