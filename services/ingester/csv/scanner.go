package csv

import (
	"io"
	"unicode/utf8"

	"sluice/pkg/events"
)

// scanner splits the bytes of a source into records, one after the other, in the one row buffer it has.
type scanner struct {
	in      input
	opts    Options
	plain   [256]bool       // what an unquoted run of bytes stops at
	quoted  [256]bool       // what a quoted one stops at
	columns []events.Column // empty until the first record has told how many there are

	line    int64 // of the next byte
	started int64 // the line of the current record's first byte
	start   int64 // the offset of that byte
	row     []byte
	fields  []span  // the record's, at most one per column
	surplus int     // empty fields behind the last column
	current current // the field in hand
}

// span is where a value lies in the row buffer. NULL lies nowhere, at -1.
type span struct{ from, to int }

// current is the field in hand and the place in the source that it came from.
type current struct {
	from         int // in the row buffer, which it runs to the end of
	quoted       bool
	beyondASCII  bool
	line, offset int64 // of its first byte, the opening quote included
	dropped      []int // where in the row buffer a byte of the source is missing, for it made the next one a value's
}

func newScanner(src io.Reader, opts Options) *scanner {
	// The row buffer exists from the start, as the empty string is a slice that is not nil.
	s := &scanner{in: newInput(src), opts: opts, line: 1, row: make([]byte, 0, 4<<10)}
	for _, c := range []byte{0, '\n', '\r'} {
		s.plain[c], s.quoted[c] = true, true
	}
	s.plain[opts.Dialect.Delimiter] = true
	if opts.Dialect.Quote != 0 {
		s.quoted[opts.Dialect.Quote] = true
	}
	if opts.Dialect.Escape != 0 {
		s.quoted[opts.Dialect.Escape] = true
	}
	return s
}

// next scans one record. It fails with io.EOF when there is none.
func (s *scanner) next() error {
	for {
		s.row, s.fields, s.surplus = s.row[:0], s.fields[:0], 0
		s.started, s.start = s.line, s.in.offset()
		c, err := s.in.peek()
		if err != nil {
			return err
		}
		blank := c == '\n' || c == '\r'
		if err := s.scanFields(); err != nil {
			return err
		}
		if !blank || len(s.columns) == 1 { // a blank line is no record, save where it is a NULL
			return nil
		}
	}
}

// scanFields scans the fields of a record and its line end.
func (s *scanner) scanFields() error {
	for {
		if err := s.scanField(); err != nil {
			return err
		}
		if more, err := s.scanSeparator(); err != nil || !more {
			return err
		}
	}
}

func (s *scanner) scanField() error {
	c := &s.current
	c.from, c.quoted, c.beyondASCII, c.dropped = len(s.row), false, false, c.dropped[:0]
	c.line, c.offset = s.line, s.in.offset()
	if len(s.columns) == 0 && len(s.fields) == s.opts.Limits.Columns {
		return s.tooManyColumns()
	}
	first, err := s.in.peek()
	if isEnd(err) {
		return nil // the last field is empty
	}
	if err != nil {
		return err
	}
	if first == s.opts.Dialect.Quote && first != 0 {
		return s.scanQuoted()
	}
	return s.scanPlain()
}

// scanPlain takes the bytes up to a delimiter, a line end, a NUL or the end of the source.
func (s *scanner) scanPlain() error {
	for {
		window, err := s.in.window()
		if isEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		run := s.until(window, &s.plain)
		if err := s.take(run); err != nil {
			return err
		}
		if len(run) < len(window) {
			return nil
		}
	}
}

// scanQuoted takes the bytes between the quotes and consumes the quotes.
func (s *scanner) scanQuoted() error {
	s.current.quoted = true
	if err := s.step(); err != nil { // over the opening quote
		return err
	}
	for {
		window, err := s.in.window()
		if isEnd(err) {
			return s.unterminatedQuote()
		}
		if err != nil {
			return err
		}
		run := s.until(window, &s.quoted)
		if err := s.take(run); err != nil {
			return err
		}
		if len(run) == len(window) {
			continue
		}
		if closed, err := s.scanInside(window[len(run):]); err != nil || closed {
			return err
		}
	}
}

// scanInside deals with the first byte of rest, one that means something inside quotes, and reports the closing quote.
func (s *scanner) scanInside(rest []byte) (closed bool, err error) {
	switch rest[0] {
	case 0:
		return false, s.nulByte()
	case '\n':
		// This LF may belong to a CR that has counted already.
		if last := len(s.row) - 1; last < s.current.from || s.row[last] != '\r' {
			s.line++
		}
		return false, s.take(rest[:1])
	case '\r':
		s.line++
		return false, s.take(rest[:1])
	}
	if rest[0] != s.opts.Dialect.Quote {
		return false, s.scanEscape(rest[0])
	}
	if err := s.step(); err != nil { // over the quote, which is either the closing one or half of a doubled one
		return false, err
	}
	c, err := s.in.peek()
	if err == nil && c == s.opts.Dialect.Quote {
		return false, s.takeMarked(c)
	}
	if isEnd(err) {
		err = nil
	}
	return true, err
}

// scanEscape takes what an escape stands for together with the byte behind it.
func (s *scanner) scanEscape(escape byte) error {
	next, err := s.in.second()
	if err != nil && !isEnd(err) {
		return err
	}
	if err != nil || next != escape && next != s.opts.Dialect.Quote {
		return s.take([]byte{escape}) // it escapes nothing, and is data
	}
	if err := s.step(); err != nil {
		return err
	}
	return s.takeMarked(next)
}

// takeMarked takes a byte that the one before it, which was stepped over, makes part of the value.
func (s *scanner) takeMarked(c byte) error {
	s.current.dropped = append(s.current.dropped, len(s.row))
	return s.take([]byte{c})
}

// scanSeparator consumes what follows a field and reports whether that is a delimiter.
func (s *scanner) scanSeparator() (more bool, err error) {
	c, err := s.in.peek()
	if isEnd(err) {
		return false, s.endField()
	}
	if err != nil {
		return false, err
	}
	switch c {
	case s.opts.Dialect.Delimiter:
		if err := s.endField(); err != nil {
			return false, err
		}
		return true, s.step()
	case '\n', '\r':
		if err := s.endField(); err != nil {
			return false, err
		}
		return false, s.scanLineEnd(c)
	}
	if s.current.quoted {
		return false, s.strayQuote()
	}
	return false, s.nulByte() // an unquoted field runs on to nothing else
}

func (s *scanner) scanLineEnd(c byte) error {
	s.in.pos++
	s.line++
	if c == '\n' {
		return nil
	}
	// Where the record ends is not known before the byte behind the CR is.
	c, err := s.in.peek()
	if err == nil && c == '\n' {
		s.in.pos++
	}
	if isEnd(err) {
		return nil
	}
	return err
}

// endField checks the finished field and adds it to the record.
func (s *scanner) endField() error {
	from, to := s.current.from, len(s.row)
	if s.current.beyondASCII && !utf8.Valid(s.row[from:to]) {
		return s.badEncoding()
	}
	if len(s.columns) == 0 || len(s.fields) < len(s.columns) {
		if from == to && !s.current.quoted {
			from, to = -1, -1
		}
		s.fields = append(s.fields, span{from, to})
		return nil
	}
	if from < to {
		return s.tooManyFields()
	}
	s.surplus++
	return nil
}

// take consumes the next bytes and appends them to the field, as far as the limits allow.
func (s *scanner) take(run []byte) error {
	fieldRoom := s.opts.Limits.Field - (len(s.row) - s.current.from)
	rowRoom := s.opts.Limits.Row - int(s.in.offset()-s.start)
	if len(run) > min(fieldRoom, rowRoom) {
		if fieldRoom <= rowRoom {
			return s.fieldTooLong()
		}
		return s.rowTooLong()
	}
	s.row = append(s.row, run...)
	s.in.pos += len(run)
	return nil
}

// step consumes one byte of the row that is not part of a value.
func (s *scanner) step() error {
	s.in.pos++
	if s.in.offset()-s.start > int64(s.opts.Limits.Row) {
		return s.rowTooLong()
	}
	return nil
}

// until returns the bytes before the first one that stops a run, and notes what they are.
func (s *scanner) until(window []byte, stops *[256]bool) []byte {
	var bits byte
	for i, c := range window {
		if stops[c] {
			window = window[:i]
			break
		}
		bits |= c
	}
	s.current.beyondASCII = s.current.beyondASCII || bits >= utf8.RuneSelf
	return window
}
