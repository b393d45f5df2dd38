package csv

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"

	"sluice/pkg/events"
)

// scanner splits the text of a source into records, one after the other, in the one row buffer it has.
type scanner struct {
	in      input
	opts    Options
	delim   []byte          // what separates fields; empty if nothing does
	padded  bool            // a space may follow it that belongs to it
	plain   [256]bool       // what an unquoted run of bytes stops at
	quoted  [256]bool       // what a quoted one stops at
	columns []events.Column // empty until the header has told how many there are
	width   int             // how many fields a row should have, as far as that is known before
	heading bool            // whether the record in hand is of the header, where nothing stands for NULL

	line    int64 // of the next byte
	started int64 // the line of the current record's first byte
	start   int64 // the offset of that byte in the source's text
	origin  int64 // the offset of that byte in the source
	row     []byte
	fields  []span // the record's; behind one for each column come those without a column that are to be rescued
	surplus int    // empty fields behind the last column
	gap     []span // those of them that come before a value that is to be rescued, should there be one
	current current
	damage  error  // the first thing wrong with a record that is read on to its end
	mended  bool   // whether the record's quotes were mended
	reread  int64  // bytes of bad rows that were returned to
	long    []byte // the first ones of a bad row that may be too long to be kept
}

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

func newScanner(src io.Reader, opts Options) *scanner {
	keep := 0
	if opts.tolerant() {
		keep = opts.Limits.Row + inputSize
	}
	// The row buffer exists from the start, as the empty string is a slice that is not nil.
	s := &scanner{in: newInput(src, keep), opts: opts, line: 1, row: make([]byte, 0, 4<<10)}
	s.use(opts.Dialect)
	return s
}

// guess settles a dialect that was detected. The rows that were looked at have a space behind each delimiter; others need
// not.
func (s *scanner) guess(d Dialect) {
	s.use(d)
	if core := bytes.TrimRight(s.delim, " "); len(core) > 0 && len(core) == len(s.delim)-1 && core[0] != ' ' {
		s.delim, s.padded = core, true
	}
}

// use settles the dialect before the first record.
func (s *scanner) use(d Dialect) {
	s.opts.Dialect, s.delim = d, []byte(d.Delimiter)
	s.plain, s.quoted = [256]bool{}, [256]bool{}
	for _, c := range []byte{0, '\n', '\r'} {
		s.plain[c], s.quoted[c] = true, true
	}
	if len(s.delim) > 0 {
		s.plain[s.delim[0]] = true
	}
	if d.Quote != 0 {
		s.quoted[d.Quote] = true
	}
	if d.Escape != 0 {
		s.quoted[d.Escape] = true
	}
}

// next scans one record. It fails with io.EOF when there is none. What belongs to a bad row is kept until the next call.
func (s *scanner) next() error {
	for {
		s.clearRow()
		s.damage, s.mended = nil, false
		s.started, s.start, s.origin = s.line, s.in.offset(), s.in.source()
		s.in.release()
		c, err := s.in.peek()
		if err != nil {
			return err
		}
		if comment, err := s.skipComment(); err != nil || comment {
			if err != nil {
				return err
			}
			continue
		}
		blank := c == '\n' || c == '\r'
		if err := s.scanRecord(); err != nil {
			return err
		}
		if !blank || len(s.columns) == 1 { // a blank line is no record, save where it is a NULL
			return nil
		}
	}
}

// clearRow forgets the fields of the record in hand.
func (s *scanner) clearRow() {
	s.row, s.fields, s.gap, s.surplus = s.row[:0], s.fields[:0], s.gap[:0], 0
}

// lenient reports whether a bad row is more than an error.
func (s *scanner) lenient() bool { return s.opts.Mend || s.opts.tolerant() }

// scanRecord scans a record that is there, and mends it if it can.
func (s *scanner) scanRecord() error {
	if s.lenient() {
		s.in.keep()
	}
	err := s.scanFields()
	if err != nil {
		s.damage = nil // where the record ends is not known
	} else {
		err = s.damage
	}
	switch {
	case !s.opts.Mend:
		return err
	case err != nil:
		return s.mend(err)
	case len(s.columns) > 0 && len(s.fields) > len(s.columns):
		return s.mendSurplus()
	}
	return nil
}

// skipComment skips a line of comment, and reports whether there was one.
func (s *scanner) skipComment() (bool, error) {
	comment := s.opts.Dialect.Comment
	if comment == "" {
		return false, nil
	}
	if there, err := s.in.has([]byte(comment)); err != nil || !there {
		return false, err
	}
	return true, s.skipLine()
}

// skipLine skips the rest of a line with its end, whatever is in it, or all there is.
func (s *scanner) skipLine() error {
	for {
		window, err := s.in.window()
		if isEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if n := bytes.IndexAny(window, "\r\n"); n >= 0 {
			s.in.pos += n
			return s.scanLineEnd(window[n])
		}
		s.in.pos += len(window)
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

// scanSeparator consumes what follows a field and reports whether that is a delimiter.
func (s *scanner) scanSeparator() (more bool, err error) {
	c, err := s.in.peek()
	if isEnd(err) {
		return false, s.endField()
	}
	if err != nil {
		return false, err
	}
	if c == '\n' || c == '\r' {
		if err := s.endField(); err != nil {
			return false, err
		}
		return false, s.scanLineEnd(c)
	}
	delimiter, err := s.atDelimiter()
	if err != nil {
		return false, err
	}
	if !delimiter { // which only a quoted field runs on to
		return false, s.strayQuote()
	}
	if err := s.endField(); err != nil {
		return false, err
	}
	for range s.delim {
		if err := s.step(); err != nil {
			return false, err
		}
	}
	return true, s.skipPadding()
}

// skipPadding skips the space behind a delimiter, if that may have one.
func (s *scanner) skipPadding() error {
	if !s.padded {
		return nil
	}
	c, err := s.in.peek()
	if err != nil || c != ' ' {
		if isEnd(err) {
			err = nil
		}
		return err
	}
	return s.step()
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
