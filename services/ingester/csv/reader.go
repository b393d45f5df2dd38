package csv

import (
	"bytes"
	"io"
	"slices"

	"sluice/pkg/events"
)

// Reader reads the records of one CSV file from its start. It is for one goroutine.
type Reader struct {
	opts    Options
	scan    *scanner
	columns []events.Column
	values  [][]byte
	short   warning
	long    warning
	waiting bool  // a record has been scanned and not yet been read
	err     error // what reading ended with

	skim skimmer
	sep  byte   // of rows
	null string // likewise
}

// NewReader returns a reader of src, which it neither closes nor touches before the first call of Columns or Read.
func NewReader(src io.Reader, opts Options) *Reader {
	opts = opts.withDefaults()
	return &Reader{opts: opts, scan: newScanner(src, opts)}
}

// Columns names the file's columns, all of type text, from its header or, if it has none, by the number of fields in its
// first record. The first call reads that far; the caller may not change the slice.
//
// It fails as [Reader.Read] does, and with the codes empty_source for a file without any line that is not blank, not_csv
// for a web page or a compressed file, bad_encoding for UTF-16 and too_many_columns.
func (r *Reader) Columns() ([]events.Column, error) {
	if r.columns == nil && r.err == nil {
		r.err = r.open()
	}
	if r.columns == nil {
		return nil, r.err
	}
	return r.columns, nil
}

// open reads up to the header, or the first record where there is none.
func (r *Reader) open() error {
	if err := r.opts.validate(); err != nil {
		return err
	}
	if err := sniff(&r.scan.in); err != nil {
		return err
	}
	err := r.scan.next()
	if isEnd(err) {
		return emptySource()
	}
	if err != nil {
		return err
	}
	first := r.fill(len(r.scan.fields))
	if r.opts.Dialect.Header {
		r.columns = nameColumns(first)
	} else {
		r.columns = generateColumns(len(first))
		r.waiting = true
	}
	r.scan.columns = r.columns
	r.skim = newSkimmer(r.opts, len(r.columns))
	r.sep = separator(r.opts.Dialect, bytes.IndexByte(r.scan.in.buf[r.scan.in.pos:r.scan.in.end], r.opts.Dialect.Quote) >= 0)
	return nil
}

// Read returns the next record, with a value for each column. It fails with io.EOF behind the last one.
//
// Any other error is an [*events.Failure] about the file, with its place, or the source's own error as it came. The codes
// are unterminated_quote, stray_quote, too_many_fields, nul_byte, bad_encoding, field_too_long and row_too_long. Each
// further call fails with the same error.
func (r *Reader) Read() (Record, error) {
	if _, err := r.Columns(); err != nil {
		return Record{}, err
	}
	if r.err == nil && !r.waiting {
		r.err = r.scan.next()
	}
	if r.err != nil {
		return Record{}, r.err
	}
	r.waiting = false
	r.warn()
	return Record{
		Values: r.fill(len(r.columns)), Line: r.scan.started, Start: r.scan.start, End: r.scan.in.offset(),
	}, nil
}

// ReadRows appends to rows as many records as are at hand, or waits for the source to bring more, which may be part of one
// only. It reports that the rows are full: that they have no room left, or that the next record needs another format; they
// have then to be taken over before the next call. It fails as [Reader.Read] does.
func (r *Reader) ReadRows(rows *Rows) (full bool, err error) {
	if _, err := r.Columns(); err != nil {
		return false, err
	}
	before, waited := rows.Count, false
	for r.err == nil {
		rows.begin(r.sep, r.null)
		if rows.full() || rows.Null != r.null {
			return true, nil
		}
		why := stopOdd
		if !r.waiting {
			why = r.skimRows(rows)
		}
		switch {
		case why == stopFull:
			return true, nil
		case why == stopOdd:
			r.scanRow(rows)
		case rows.Count > before || waited:
			return false, nil // what comes next may be late, and what was read before it already due
		default:
			if err := r.scan.in.extend(); isEnd(err) {
				r.scanRow(rows) // without a line end
			} else {
				r.err = err
			}
			waited = true
		}
	}
	return false, r.err
}

// skimRows appends what it can of the rows at hand.
func (r *Reader) skimRows(rows *Rows) stop {
	in := &r.scan.in
	for {
		bytes, by := in.clean()
		if rows.Count == 0 {
			rows.FirstLine = r.scan.line
		}
		used, lines, why := r.skim.skim(bytes, rows)
		in.pos += used
		r.scan.line += lines
		if used > 0 {
			rows.End = in.offset()
		}
		switch {
		case why != stopCut || by == borderEnd:
			return why
		case by == borderDirt:
			return stopOdd
		}
	}
}

// scanRow appends the next record, whatever it is like.
func (r *Reader) scanRow(rows *Rows) {
	if !r.waiting {
		if r.err = r.scan.next(); r.err != nil {
			return
		}
	}
	values := r.fill(len(r.columns))
	if r.null == nullNothing && slices.ContainsFunc(values, isEmptyString) {
		r.null = nullMark
		if r.waiting = rows.Count > 0; r.waiting {
			return
		}
		rows.Null = r.null
	}
	r.waiting = false
	r.warn()
	if rows.Count == 0 {
		rows.FirstLine = r.scan.started
	}
	for i, value := range values {
		if i > 0 {
			rows.Data = append(rows.Data, rows.Delimiter)
		}
		rows.appendValue(value)
	}
	rows.Data = append(rows.Data, '\n')
	rows.Count++
	rows.End = r.scan.in.offset()
}

func isEmptyString(value []byte) bool { return value != nil && len(value) == 0 }

// fill turns the scanned fields into n values, those that the record does not have being NULL.
func (r *Reader) fill(n int) [][]byte {
	r.values = r.values[:0]
	for _, f := range r.scan.fields {
		var value []byte
		if f.from >= 0 {
			value = r.scan.row[f.from:f.to:f.to]
		}
		r.values = append(r.values, value)
	}
	for len(r.values) < n {
		r.values = append(r.values, nil)
	}
	return r.values
}

func (r *Reader) warn() {
	if len(r.scan.fields) < len(r.columns) {
		r.short.add(r.scan.started)
	}
	if r.scan.surplus > 0 {
		r.long.add(r.scan.started)
	}
}

// Dialect reports how the file is read.
func (r *Reader) Dialect() events.Dialect { return r.opts.Dialect.report() }

// Warnings counts the repairs made to the records read so far, with the first ten lines of each kind: short_row for
// missing fields that were filled with NULL, long_row for surplus empty fields that were dropped.
func (r *Reader) Warnings() []events.Warning {
	return r.long.appendTo(r.short.appendTo(nil, events.WarnShortRow), events.WarnLongRow)
}
