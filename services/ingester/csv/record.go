package csv

import "sluice/pkg/events"

// Record is one row of the file.
type Record struct {
	// Values has one value per column: nil is NULL, an empty slice that is not nil the empty string. The slice and the
	// bytes in it are valid until the next call of Read.
	Values [][]byte
	// Line is where the record starts, from 1. LF, CRLF and CR each end a line, inside quotes too.
	Line int64
	// Start is the offset in the source of the record's first byte, End the one behind its line end. A record starts
	// where the one before ended, unless blank lines were skipped between them.
	Start, End int64
}

// Read returns the next record, with a value for each column. It fails with io.EOF behind the last one. Rows that may be
// rejected are passed over, and what has no column is left out; [Reader.ReadRows] tells both.
//
// Any other error is an [*events.Failure] about the file, with its place, or the source's own error as it came. The codes
// are unterminated_quote, stray_quote, too_many_fields, nul_byte, bad_encoding, field_too_long and row_too_long, and
// too_many_bad_rows. Each further call fails with the same error.
func (r *Reader) Read() (Record, error) {
	for {
		record, bad, err := r.Next()
		if err != nil || bad == nil {
			return record, err
		}
	}
}

// Next is like [Reader.Read], but does not pass over a row that may be rejected: it tells what is wrong with it, and a record
// that has its place and no values.
func (r *Reader) Next() (record Record, bad *events.Failure, err error) {
	if _, err := r.Columns(); err != nil {
		return Record{}, nil, err
	}
	reject, rejected := r.next()
	switch {
	case r.err != nil:
		return Record{}, nil, r.err
	case rejected:
		return Record{Line: reject.Line, Start: reject.Offset, End: r.scan.in.source()}, r.bad, nil
	}
	r.waiting = false
	r.count()
	return Record{
		Values: r.fill(len(r.columns))[:len(r.columns)], Line: r.scan.started, Start: r.scan.origin, End: r.scan.in.source(),
	}, nil, nil
}
