package csv

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	"sluice/pkg/events"
)

// Reader reads the records of one CSV file from its start, or from where they are resumed. It is for one goroutine.
type Reader struct {
	opts     Options
	scan     *scanner
	found    detection // how the file is written, once that is settled
	columns  []events.Column
	values   [][]byte
	repairs  repairs
	begin    spot // of the first row
	waiting  bool // a record has been scanned and not yet been read
	read     int64
	rejected int64
	firstBad string
	bad      *events.Failure // what the latest rejected row was rejected for
	err      error           // what reading ended with

	skim skimmer
	seen sight  // when skimming last
	sep  byte   // of rows; 0 until something has been looked at
	null string // likewise
	wide bool   // rows have one more value
}

// spot is where a row starts.
type spot struct{ offset, line int64 }

// NewReader returns a reader of src, which it neither closes nor touches before the first call of Columns or Read.
func NewReader(src io.Reader, opts Options) *Reader {
	opts = opts.withDefaults()
	r := &Reader{opts: opts, scan: newScanner(src, opts), found: detection{Dialect: opts.Dialect, confidence: 1}}
	if !slices.Contains(opts.Null, "") {
		r.null = nullMark
	}
	if opts.Resume != nil {
		r.err = r.resume(opts.Resume)
	}
	return r
}

// Columns names the file's columns, all of type text, from its header or, if it has none, by the number of fields in its
// first record. The first call reads that far; the caller may not change the slice.
//
// It fails as [Reader.Read] does, and with the codes empty_source for a file without any line that is not blank, not_csv
// for a web page or a compressed file, bad_encoding for UTF-16 that is not asked for and too_many_columns.
func (r *Reader) Columns() ([]events.Column, error) {
	if r.columns == nil && r.err == nil {
		r.err = r.open()
	}
	if r.columns == nil {
		return nil, r.err
	}
	return r.columns, nil
}

// open settles how the file is written and reads up to the header, or the first record where there is none.
func (r *Reader) open() error {
	if err := r.settle(); err != nil {
		return err
	}
	r.scan.width = r.found.fields
	r.repairs.unsure = r.found.confidence < unsure
	for line := range r.found.SkipRows {
		if r.opts.Stated != nil && r.opts.Stated.SkipRows == nil {
			r.repairs.titles.add(int64(line + 1))
		}
		if err := r.scan.skipLine(); err != nil {
			return err
		}
	}
	header, err := r.readHeader()
	if err != nil {
		return err
	}
	if r.found.HeaderRows > 0 {
		r.begin = spot{r.scan.in.source(), r.scan.line}
		r.settleColumns(nameColumns(header, max(widest(header), r.found.fields), r.naming()))
		return nil
	}
	n, err := r.scanFirst()
	if err != nil {
		return r.orEmptySource(err)
	}
	r.begin = spot{r.scan.origin, r.scan.started}
	r.settleColumns(generateColumns(n))
	return nil
}

// settleColumns makes the reader ready for the rows.
func (r *Reader) settleColumns(columns []events.Column) {
	r.columns, r.scan.columns = columns, columns
	if len(columns) >= r.opts.Limits.Columns {
		r.scan.opts.Rescue = false // the table has no room for one more column
	}
	r.skim = newSkimmer(r.opts, r.found.Dialect, len(columns))
	r.skim.able = r.skim.able && r.found.lineEnd != events.LineEndCR
	if r.opts.Resume == nil { // else nothing has been read
		r.settleSeparator(r.scan.in.atHand())
	}
}

// scanFirst scans the first row of a file without header, and returns how many columns that has. A bad one is scanned again
// when they have names.
func (r *Reader) scanFirst() (columns int, err error) {
	columns, err = r.found.fields, r.scan.next()
	switch {
	case err == nil:
		r.waiting = true
		return max(columns, len(r.scan.fields)), nil
	case badRow(err) == nil || !r.opts.tolerant() || columns == 0 || !r.scan.rewind():
		return 0, err
	}
	return columns, nil
}

// readHeader returns the cells of the header's rows.
func (r *Reader) readHeader() ([][][]byte, error) {
	var header [][][]byte
	r.scan.heading = true
	defer func() { r.scan.heading = false }()
	for range r.found.HeaderRows {
		err := r.scan.next()
		if isEnd(err) && len(header) > 0 {
			break
		}
		if err != nil {
			return nil, r.orEmptySource(err)
		}
		if r.scan.mended {
			r.repairs.mended.add(r.scan.started)
		}
		cells := make([][]byte, len(r.scan.fields))
		for i, value := range r.fill(0) {
			cells[i] = bytes.Clone(value)
		}
		header = append(header, cells)
	}
	return header, nil
}

func (r *Reader) orEmptySource(err error) error {
	switch {
	case isEnd(err) && r.found.SkipRows > 0 && r.scan.in.offset() > 0:
		return skippedAll(r.found.SkipRows)
	case isEnd(err):
		return emptySource()
	}
	return err
}

func widest(rows [][][]byte) int {
	n := 0
	for _, cells := range rows {
		n = max(n, len(cells))
	}
	return n
}

// naming says how columns are named.
func (r *Reader) naming() naming {
	o := naming{snake: r.opts.Snake, taken: slices.Clone(r.opts.Taken)}
	if r.opts.Rescue {
		o.taken = append(o.taken, ExtraColumn)
	}
	return o
}

// next scans the next record, unless one is waiting already, or rejects it.
func (r *Reader) next() (reject Reject, rejected bool) {
	if r.err != nil || r.waiting {
		return Reject{}, false
	}
	err := r.scan.next()
	if err == nil {
		return Reject{}, false
	}
	if isEnd(err) {
		if r.err = err; r.scan.stop == 0 {
			r.err = cmp.Or(r.tooManyBad(true), err)
		}
		return Reject{}, false
	}
	reject, r.err = r.reject(err)
	return reject, reject.Code != "" // the one too many, too
}

// ReadRows appends to rows as many records as are at hand, or waits for the source to bring more, which may be part of one
// only. It reports that the rows are full: that they have no room left, or that the next record needs another format; they
// have then to be taken over before the next call. It fails as [Reader.Read] does.
func (r *Reader) ReadRows(rows *Rows) (full bool, err error) {
	if _, err := r.Columns(); err != nil {
		return false, err
	}
	if r.sep == 0 {
		text, _ := r.scan.in.window() // what it fails with is met again
		r.settleSeparator(text)
	}
	before, waited := rows.records(), false
	for r.err == nil {
		rows.begin(r)
		if rows.full() || rows.Null != r.null || rows.Extra != r.wide {
			return true, nil
		}
		why := stopOdd
		if !r.waiting {
			why = r.skimRows(rows)
		}
		switch {
		case why == stopFull:
			return true, nil
		case why == stopOdd && (r.waiting || rows.Empty() || r.lineAtHand() || r.scan.stopped() != nil):
			r.scanRow(rows)
		case rows.records() > before || waited:
			return false, nil // what comes next may be late, and what was read before it already due
		default:
			r.scan.in.release()
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

// settleSeparator tells by the first bytes of the rows what separates values.
func (r *Reader) settleSeparator(text []byte) {
	r.sep = separator(r.found.Dialect, bytes.IndexByte(text, r.found.Quote) >= 0)
}

// lineAtHand reports whether the next row need probably not be waited for, or is too long for that to be known.
func (r *Reader) lineAtHand() bool {
	text := r.scan.in.atHand()
	n := bytes.IndexAny(text[:min(len(text), skimSize)], "\r\n")
	return n < 0 && len(text) >= skimSize || n >= 0 && (text[n] == '\n' || n+1 < len(text))
}

// skimRows appends what it can of the rows at hand.
func (r *Reader) skimRows(rows *Rows) stop {
	if !r.skim.able {
		return stopOdd
	}
	in := &r.scan.in
	in.release()
	for {
		bytes, by := in.clean()
		if stop := r.scan.stop; stop > 0 && stop-in.offset() < int64(len(bytes)) {
			bytes, by = bytes[:max(stop-in.offset(), 0)], borderDirt
		}
		if rows.records() == 0 {
			rows.FirstLine = r.scan.line
		}
		before := rows.Count
		used, lines, why := r.skim.skim(bytes, Place{in.offset(), r.scan.line}, rows, &r.seen)
		in.pos += used
		r.scan.line += lines
		r.read += rows.Count - before
		if used > 0 {
			rows.End, rows.NextLine = in.source(), r.scan.line
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
	reject, rejected := r.next()
	if r.err != nil && !rejected {
		return
	}
	if rows.records() == 0 {
		rows.FirstLine = r.scan.started
	}
	if rejected {
		rows.reject(reject)
		rows.End, rows.NextLine = r.scan.in.source(), r.scan.line
		return
	}
	values := r.fill(len(r.columns))
	if r.waiting = !r.fits(rows, values); r.waiting {
		return
	}
	r.count()
	if r.skim.placing {
		rows.Places = append(rows.Places, Place{r.scan.origin, r.scan.started})
	}
	for i, value := range values[:len(r.columns)] {
		if i > 0 {
			rows.Data = append(rows.Data, rows.Delimiter)
		}
		rows.appendValue(value)
	}
	if rows.Extra {
		rows.appendExtra(values[len(r.columns):])
	}
	rows.endRow(r.scan.started)
	rows.Count++
	rows.End, rows.NextLine = r.scan.in.source(), r.scan.line
}

// fits reports whether a record can be written in the format of the rows, and settles the format if it is the first one.
func (r *Reader) fits(rows *Rows, values [][]byte) bool {
	if r.null == nullNothing && slices.ContainsFunc(values, isEmptyString) {
		r.null = nullMark
	}
	r.wide = r.wide || len(values) > len(r.columns)
	rows.begin(r)
	return rows.Null == r.null && rows.Extra == r.wide
}

func isEmptyString(value []byte) bool { return value != nil && len(value) == 0 }

// fill turns the scanned fields into at least n values, those that the record does not have being NULL.
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

// count counts the record in hand and what was repaired in it.
func (r *Reader) count() {
	r.read++
	s := r.scan
	switch {
	case len(s.fields) < len(r.columns):
		r.repairs.short.add(s.started)
	case len(s.fields) > len(r.columns):
		r.repairs.extra.add(s.started)
	case s.surplus > 0:
		r.repairs.long.add(s.started)
	}
	if s.mended {
		r.repairs.mended.add(s.started)
	}
}

// Dialect reports how the file is read, once Columns has returned.
func (r *Reader) Dialect() events.Dialect {
	if r.opts.Resume != nil {
		return r.opts.Resume.Dialect
	}
	return r.found.report(r.scan.in.charset.String())
}

// Begin is where the first row starts, once Columns has returned: its byte offset in the source, and its line from 1.
func (r *Reader) Begin() (offset, line int64) { return r.begin.offset, r.begin.line }

// unsure is a confidence below which the user should look at what was detected.
const unsure = 0.4
