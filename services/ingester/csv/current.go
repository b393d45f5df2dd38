package csv

import (
	"slices"
	"unicode/utf8"
)

// span is where a value lies in the row buffer. NULL lies nowhere, at -1.
type span struct{ from, to int }

// current is the field in hand and the place in the source that it came from.
type current struct {
	from        int // in the row buffer, which it runs to the end of
	quoted      bool
	beyondASCII bool
	line        int64 // of its first byte, the opening quote included
	offset      int64 // of that byte in the source
	dropped     []int // where in the row buffer a byte of the source is missing, for it made the next one a value's
}

func (s *scanner) scanField() error {
	s.startField()
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

func (s *scanner) startField() {
	c := &s.current
	c.from, c.quoted, c.beyondASCII, c.dropped = len(s.row), false, false, c.dropped[:0]
	c.line, c.offset = s.line, s.in.source()
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
		if len(run) == len(window) {
			continue
		}
		if ended, err := s.plainEnds(window[len(run)]); err != nil || ended {
			return err
		}
	}
}

// plainEnds deals with a byte that an unquoted run stops at, and reports whether the field ends before it.
func (s *scanner) plainEnds(c byte) (bool, error) {
	switch c {
	case '\n', '\r':
		return true, nil
	case 0:
		return false, s.takeNUL()
	}
	delimiter, err := s.atDelimiter()
	if err != nil || delimiter {
		return true, err
	}
	return false, s.take([]byte{c}) // it only starts like one
}

// atDelimiter reports whether a delimiter lies next.
func (s *scanner) atDelimiter() (bool, error) {
	if len(s.delim) == 0 {
		return false, nil
	}
	return s.in.has(s.delim)
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
		return false, s.takeNUL()
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

// takeNUL takes a byte that no value may contain.
func (s *scanner) takeNUL() error {
	if err := s.spoil(s.nulByte); err != nil {
		return err
	}
	return s.take([]byte{0})
}

// endField checks the finished field and adds it to the record.
func (s *scanner) endField() error {
	from, to := s.current.from, len(s.row)
	if s.current.beyondASCII && !utf8.Valid(s.row[from:to]) {
		if err := s.spoil(s.badEncoding); err != nil {
			return err
		}
	}
	if s.isNull(from, to) {
		from, to = -1, -1
	}
	if len(s.columns) == 0 || len(s.fields) < len(s.columns) {
		s.fields = append(s.fields, span{from, to})
		return nil
	}
	return s.endSurplus(from, to)
}

// endSurplus deals with a field that has no column.
func (s *scanner) endSurplus(from, to int) error {
	rescued := s.opts.Rescue && len(s.fields)+s.surplus < 2*s.opts.Limits.Columns
	switch {
	case from == to: // whether NULL or an empty string
		s.surplus++
		if rescued {
			s.gap = append(s.gap, span{from, to})
		}
	case !rescued:
		return s.spoil(s.tooManyFields)
	default:
		s.fields = append(append(s.fields, s.gap...), span{from, to})
		s.surplus, s.gap = 0, s.gap[:0]
	}
	return nil
}

// isNull reports whether the field in hand stands for NULL.
func (s *scanner) isNull(from, to int) bool {
	return !s.heading && !s.current.quoted && isWord(s.row[from:to], s.opts.Null)
}

// isWord reports whether a value is one of the words.
func isWord(value []byte, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return string(value) == word })
}

// spoil notes what is wrong with a record that may be read on, and else fails with it.
func (s *scanner) spoil(failure func() error) error {
	if !s.lenient() {
		return failure()
	}
	if s.damage == nil {
		s.damage = failure()
	}
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
