package ingester

import (
	"errors"
	"io"
	"math"
	"slices"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres/types"
)

// sampledValue is how many bytes of a value a sample keeps.
const sampledValue = 1000

// sample is what the first part of a file is like.
type sample struct {
	rows    *csv.Reader
	columns []events.Column
	types   types.Columns
	first   [][]*string // of the rows
	cut     bool        // values in them were shortened
	wanted  int         // how many rows are to be kept
	count   int64       // of rows that can be read
	bad     events.Warning
	why     *events.Failure // the first of the bad rows was rejected
	bytes   int64           // up to where the file was read
	whole   bool
}

// readSample reads a part of a file to its end, as a job would, and keeps so many of the first rows. Rows that cannot be read are
// counted, but for a quote that is never closed: what it encloses is not known.
func readSample(of part, options csv.Options, wanted int) (*sample, error) {
	options.BadRows = csv.BadRows{Count: math.MaxInt64}
	s := &sample{rows: csv.NewReader(of.open(), options), wanted: wanted, bad: events.Warning{Code: events.WarnBadRow}, whole: of.complete}
	columns, err := s.rows.Columns()
	if errors.Is(err, csv.ErrCut) {
		return nil, of.tooShort()
	}
	if err != nil {
		return nil, err
	}
	s.columns, s.types = slices.Clone(columns), make(types.Columns, len(columns))
	s.bytes, _ = s.rows.Begin()
	for {
		record, bad, err := s.rows.Next()
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is not the end
			s.bytes = int64(len(of.text))
			return s, nil
		case errors.Is(err, csv.ErrCut):
			return s, nil
		case err != nil:
			return nil, err
		case bad == nil:
			s.add(record.Values)
		case bad.Code == events.CodeUnterminatedQuote:
			return nil, bad
		default:
			s.reject(record.Line, bad)
		}
		s.bytes = record.End
	}
}

func (s *sample) add(values [][]byte) {
	s.count++
	for i, value := range values {
		if value != nil {
			s.types[i].Observe(value)
		}
	}
	if len(s.first) == s.wanted {
		return
	}
	row := make([]*string, len(values))
	for i, value := range values {
		if value == nil {
			continue
		}
		text := csv.Cut(string(value), sampledValue)
		s.cut = s.cut || len(text) < len(value)
		row[i] = &text
	}
	s.first = append(s.first, row)
}

func (s *sample) reject(line int64, why *events.Failure) {
	if s.bad.Count == 0 {
		s.why = why
	}
	if s.bad.Count++; len(s.bad.Lines) < maxToldLines {
		s.bad.Lines = append(s.bad.Lines, line)
	}
}

// maxToldLines is how many lines a warning tells.
const maxToldLines = 10

// described tells what the sample is like. Its columns have the types that a job would give them if there were no other rows.
func (s *sample) described() events.Previewed {
	for i := range s.columns {
		name, form := s.types[i].Type()
		s.columns[i].Type, s.columns[i].Form = types.Written(name), form
	}
	warnings := s.rows.TakeWarnings()
	if s.bad.Count > 0 {
		warnings = append(warnings, s.bad)
	}
	return events.Previewed{
		Dialect: s.rows.Dialect(), Columns: s.columns, Rows: s.first, Warnings: events.MergeWarnings(warnings), FirstBad: s.why,
		BytesRead: s.bytes, RowsRead: s.count, Complete: s.whole, Cut: s.cut,
	}
}
