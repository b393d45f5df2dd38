package csv

import (
	"bytes"
	"io"

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

	stop    int64 // the offset in the source that no record is to start at; 0 for none
	line    int64 // of the next byte
	started int64 // the line of the current record's first byte
	start   int64 // the offset of that byte in the source's text
	origin  int64 // the offset of that byte in the source
	row     []byte
	fields  []span // the record's; behind one for each column come those without a column that are to be rescued
	surplus int    // empty fields behind the last column
	gap     []span // those of them that come before a value that is to be rescued, should there be one
	current current
	damage  error // the first thing wrong with a record that is read on to its end
	mended  bool  // whether the record's quotes were mended
	reread  int64 // bytes of bad rows that were returned to
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
		if err := s.stopped(); err != nil {
			return err
		}
		c, err := s.in.peek()
		if err != nil {
			return s.orMoved(err)
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
			return s.crossed()
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
