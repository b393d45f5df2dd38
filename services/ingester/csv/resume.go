package csv

import (
	"errors"
	"io"

	"sluice/pkg/events"
)

// ErrMoved tells that a resumed reading found no row's end where there was one before: the file is not the one that was read
// then.
var ErrMoved = errors.New("no row ends where one did before")

// Resume says how a file was read whose rows are to be read on from some place. Nothing of that is detected again.
//
// The rows, rejects and warnings of a section are what they are when the whole file is read: nothing that was read before
// matters to a row. What lies behind it may, where its quotes are wrong.
type Resume struct {
	Columns []events.Column
	Dialect events.Dialect // as [Reader.Dialect] told it
	// Offset is where in the file the source begins: the [Reader.Begin] of an earlier reading, or the end of a row. Line is
	// the number of the line there, from 1.
	Offset, Line int64
	// End is where in the file reading ends: the end of a row, or 0 for the end of the file. The source should go on behind
	// it as the file does. If it ends there, rows before the end whose quotes are wrong may be read in another way.
	End int64
	// Read is how many of the rows before Offset were read, and Rejected how many besides were rejected: what BadRows allows
	// is judged by these, too. FirstBad is the reason of the first reject, which the message tells when there are too many.
	Read, Rejected int64
	FirstBad       string
}

// Resumable reports whether a file that is so written can be read on from the end of any row. It cannot in an encoding whose
// bytes mean nothing without all those before them, nor in an unknown one.
func Resumable(d events.Dialect) bool {
	_, ok := findCharset(d.Encoding)
	return ok
}

// resume takes over what is known of the file.
func (r *Reader) resume(from *Resume) error {
	charset, ok := findCharset(from.Dialect.Encoding)
	switch {
	case !ok:
		return events.Failf(events.CodeInternal, "the encoding %q cannot be resumed", from.Dialect.Encoding)
	case len(from.Columns) == 0 || from.Offset < 0 || from.Line < 1 || from.End != 0 && from.End < from.Offset:
		return events.Failf(events.CodeInternal, "reading cannot be resumed at byte %d, line %d, up to byte %d with %d columns",
			from.Offset, from.Line, from.End, len(from.Columns))
	}
	r.opts.Dialect = dialectOf(from.Dialect)
	if err := r.opts.validate(); err != nil {
		return err
	}
	r.found = detection{
		Dialect: r.opts.Dialect, fields: len(from.Columns), lineEnd: from.Dialect.LineEnd, confidence: from.Dialect.Confidence,
	}
	r.read, r.rejected, r.firstBad = from.Read, from.Rejected, from.FirstBad
	r.scan.resume(from, charset)
	r.begin = spot{from.Offset, from.Line}
	r.settleDialect()
	r.settleColumns(from.Columns)
	// Rows that are skimmed must not go beyond the end, whose place in the text is not known where that is decoded.
	r.skim.able = r.skim.able && (from.End == 0 || charset.isUTF8())
	return nil
}

// resume sets the place of the source's first byte.
func (s *scanner) resume(from *Resume, cs charset) {
	s.line, s.stop = from.Line, from.End
	if cs.isUTF8() {
		s.in.base = from.Offset
		return
	}
	s.in.charset, s.in.origin = cs, from.Offset
	s.in.src = newDecoder(s.in.src, cs)
}

// stopped fails at the end of the section with io.EOF, and behind it.
func (s *scanner) stopped() error {
	if s.stop == 0 {
		return nil
	}
	switch at := s.in.source(); {
	case at < s.stop:
		return nil
	case at == s.stop:
		return io.EOF
	}
	return ErrMoved
}

// crossed fails if the record in hand does not end within the section.
func (s *scanner) crossed() error {
	if s.stop > 0 && s.in.source() > s.stop {
		return ErrMoved
	}
	return nil
}

// orMoved is what reading ended with, or ErrMoved where that is before the end of the section.
func (s *scanner) orMoved(err error) error {
	if isEnd(err) && s.stop > 0 {
		return ErrMoved
	}
	return err
}

// dialectOf is the dialect that was reported.
func dialectOf(report events.Dialect) Dialect {
	d := Dialect{
		Delimiter: report.Delimiter, HeaderRows: report.HeaderRows, SkipRows: report.SkipRows, Comment: report.Comment,
	}
	if report.Quote != "" {
		d.Quote = report.Quote[0]
	}
	if report.Escape != "" && report.Escape != report.Quote {
		d.Escape = report.Escape[0]
	}
	return d
}
