package csv

import (
	"bytes"
	"errors"
	"slices"
	"unicode/utf8"

	"sluice/pkg/events"
)

const (
	mendSize   = 64 << 10 // bytes of a line that is mended, at most
	resyncRows = 100      // lines that are given up behind a bad quote, at most
	rereadSize = 1 << 30  // bytes that are read twice because of bad quotes, at most: there may be one in each row
)

// splitting is a way to take a line apart whose quotes are not as they should be. In all of them a quote that is followed
// by neither a quote nor the end of the field is data.
type splitting struct {
	undoubled bool // two quotes before the end of the field are one that is data and the closing one
	padded    bool // spaces may stand around the quotes
	opened    bool // a quote that opens and is not closed before the next one opens, or in the line, is data
}

// splittings are tried one after the other.
var (
	paddedSplittings = []splitting{{padded: true}, {padded: true, undoubled: true}}
	closedSplittings = append([]splitting{{}, {undoubled: true}}, paddedSplittings...)
	splittings       = append(closedSplittings, splitting{opened: true}, splitting{opened: true, undoubled: true})
)

// badRow is err if that is about one row of the file, and nil otherwise.
func badRow(err error) *events.Failure {
	var f *events.Failure
	if !errors.As(err, &f) {
		return nil
	}
	switch f.Code {
	case events.CodeUnterminatedQuote, events.CodeStrayQuote, events.CodeTooManyFields, events.CodeNULByte,
		events.CodeBadEncoding, events.CodeFieldTooLong, events.CodeRowTooLong:
		return f
	}
	return nil
}

// mend takes the first line of a row apart again that err is said of. It is mended only if it then has a field for each
// column and no byte is lost but the quotes around a value; if it cannot be, mend fails with err.
func (s *scanner) mend(err error) error {
	f := badRow(err)
	if f == nil || f.Code == events.CodeNULByte || f.Code == events.CodeBadEncoding {
		return err
	}
	ways := splittings
	if f.Code == events.CodeUnterminatedQuote {
		ways = closedSplittings // what the quote encloses is not known
	}
	end, endLine := s.in.offset(), s.line
	mended, failed := s.mendLine(ways)
	if mended || failed != nil {
		return failed
	}
	if s.in.kept >= 0 {
		s.in.pos, s.line = int(end-s.in.base), endLine
	}
	return err
}

// mendSurplus takes a row apart again that has values without a column, which may come of spaces before quotes. If that is
// not so it scans the row as it was.
func (s *scanner) mendSurplus() error {
	if mended, err := s.mendLine(paddedSplittings); mended || err != nil || !s.rewind() {
		return err
	}
	s.clearRow()
	return s.scanFields()
}

// mendLine mends the first line of the row in hand in one of some ways, and goes on behind it. Unless it does, the place
// of what is next is lost.
func (s *scanner) mendLine(ways []splitting) (mended bool, err error) {
	if s.opts.Dialect.Quote == 0 || !s.rewind() {
		return false, nil
	}
	line, behind, err := s.lineAtHand(0)
	if err != nil || behind == 0 || len(line) > s.opts.Limits.Row || bytes.IndexByte(line, s.opts.Dialect.Quote) < 0 {
		return false, err
	}
	for _, how := range ways {
		if !s.split(line, how) {
			continue
		}
		if how.opened {
			if follows, err := s.rowFollows(behind); err != nil || !follows {
				return false, err
			}
			// That may have moved what is at hand, but not what was split.
		}
		s.mended, s.damage, s.surplus, s.gap = true, nil, 0, s.gap[:0]
		return true, s.skipLine()
	}
	return false, nil
}

// rewind returns to the start of the record in hand, if that is still at hand.
func (s *scanner) rewind() bool {
	if !s.in.unread(s.origin) {
		return false
	}
	s.line = s.started
	return true
}

// fieldsOfRow is how many fields a row should have; 0 if that is not known.
func (s *scanner) fieldsOfRow() int {
	if len(s.columns) > 0 {
		return len(s.columns)
	}
	return s.width
}

// lineAtHand returns the line that starts so many bytes behind the next one, without its end, and where the line after it
// starts. That is 0 for a line that is too long to be looked at.
func (s *scanner) lineAtHand(from int) (line []byte, behind int, err error) {
	for looked, ended := 0, false; ; {
		text := s.in.atHand()
		text = text[min(from, len(text)):]
		near := text[:min(len(text), mendSize+1)] // however much more there is
		n := bytes.IndexAny(near[looked:], "\r\n") + looked
		switch {
		case n < looked:
			looked = len(near)
		case text[n] == '\r' && n+1 < len(text) && text[n+1] == '\n':
			return text[:n], from + n + 2, nil
		case text[n] == '\n' || n+1 < len(text) || ended:
			return text[:n], from + n + 1, nil
		}
		switch {
		case looked > mendSize:
			return nil, 0, nil
		case ended:
			return text, from + len(text), nil
		}
		if err := s.in.extend(); isEnd(err) {
			ended = true
		} else if err != nil {
			return nil, 0, err
		}
	}
}

// rowFollows reports whether the line there, if there is one, looks like the start of a row.
func (s *scanner) rowFollows(from int) (bool, error) {
	line, behind, err := s.lineAtHand(from)
	return err == nil && (behind == from || s.startsRow(line)), err
}

// split takes a line apart into the fields of a row, and reports whether it has as many as it should.
func (s *scanner) split(line []byte, how splitting) bool {
	s.row, s.fields = s.row[:0], s.fields[:0]
	width := s.fieldsOfRow()
	if width == 0 || how.opened && width == 1 {
		return false
	}
	for len(s.fields) < width {
		rest, ok := s.splitField(line, how)
		if !ok {
			return false
		}
		if rest == nil {
			return len(s.fields) == width
		}
		line = rest
	}
	return false
}

// splitField takes a field from the front of a line, and returns what is behind the delimiter, which is nil at the end of
// the line.
func (s *scanner) splitField(line []byte, how splitting) (rest []byte, ok bool) {
	s.current.from, s.current.quoted = len(s.row), false
	start := line
	if how.padded {
		start = bytes.TrimLeft(line, " ")
	}
	if len(start) > 0 && start[0] == s.opts.Dialect.Quote {
		s.current.quoted = true
		rest, ok = s.splitQuoted(start[1:], how)
		if !ok && !how.opened {
			return nil, false
		}
	}
	if !ok {
		s.row, s.current.quoted = s.row[:s.current.from], false
		value, behind, more := s.cut(line)
		s.row = append(s.row, value...)
		if more {
			rest = slices.Clip(behind)
		}
	}
	from, to := s.current.from, len(s.row)
	if to-from > s.opts.Limits.Field || !utf8.Valid(s.row[from:to]) || bytes.IndexByte(s.row[from:to], 0) >= 0 {
		return nil, false
	}
	if s.isNull(from, to) {
		from, to = -1, -1
	}
	s.fields = append(s.fields, span{from, to})
	return rest, true
}

// splitQuoted takes a value behind its opening quote, like splitField.
func (s *scanner) splitQuoted(line []byte, how splitting) (rest []byte, ok bool) {
	d := s.opts.Dialect
	for i := 0; i < len(line); i++ {
		c := line[i]
		next := line[i+1:]
		switch {
		case c == d.Escape && c != d.Quote && len(next) > 0 && (next[0] == d.Quote || next[0] == c):
			i++
			c = next[0]
		case c != d.Quote:
		case s.ends(next, how):
			return s.behindDelimiter(next, how), true
		case len(next) > 0 && next[0] == d.Quote:
			if how.undoubled && s.ends(next[1:], how) {
				s.row = append(s.row, c)
				return s.behindDelimiter(next[1:], how), true
			}
			i++
		case how.opened && len(s.delim) > 0 && bytes.HasSuffix(line[:i], s.delim):
			return nil, false
		}
		s.row = append(s.row, c)
	}
	return nil, false
}

// ends reports whether a field ends where the rest of its line is this.
func (s *scanner) ends(rest []byte, how splitting) bool {
	if how.padded {
		rest = bytes.TrimLeft(rest, " ")
	}
	return len(rest) == 0 || len(s.delim) > 0 && bytes.HasPrefix(rest, s.delim)
}

func (s *scanner) behindDelimiter(rest []byte, how splitting) []byte {
	if how.padded {
		rest = bytes.TrimLeft(rest, " ")
	}
	if len(rest) == 0 {
		return nil
	}
	return s.behindPadding(rest[len(s.delim):])
}

// cut takes a value that is not in quotes from the front of a line.
func (s *scanner) cut(line []byte) (value, behind []byte, more bool) {
	if len(s.delim) == 0 {
		return line, nil, false
	}
	value, behind, more = bytes.Cut(line, s.delim)
	return value, s.behindPadding(behind), more
}

func (s *scanner) behindPadding(rest []byte) []byte {
	if s.padded && len(rest) > 0 && rest[0] == ' ' {
		return rest[1:]
	}
	return rest
}

// startsRow reports whether a line looks like a row, or like the first line of one, and not like the rest of a value in
// quotes.
func (s *scanner) startsRow(line []byte) bool {
	quote, width := s.opts.Dialect.Quote, s.fieldsOfRow()
	for n := 1; ; n++ {
		var rest []byte
		if len(line) > 0 && line[0] == quote {
			behind, closed := s.behindQuoted(line[1:])
			if !closed {
				return n <= width && behind == nil
			}
			rest = behind
		} else {
			value, behind, more := s.cut(line)
			if len(value) > 0 && value[len(value)-1] == quote {
				return false
			}
			if more {
				rest = slices.Clip(behind)
			}
		}
		if rest == nil {
			return n == width
		}
		line = rest
	}
}

// behindQuoted returns what follows the delimiter behind a value in proper quotes, or nil at the end of the line. What
// follows an improper one is not nil, and not closed.
func (s *scanner) behindQuoted(line []byte) (rest []byte, closed bool) {
	d := s.opts.Dialect
	for i := 0; i < len(line); i++ {
		next := line[i+1:]
		switch {
		case line[i] == d.Escape && d.Escape != d.Quote && len(next) > 0 && (next[0] == d.Quote || next[0] == d.Escape):
			i++
		case line[i] != d.Quote:
		case s.ends(next, splitting{}):
			return s.behindDelimiter(next, splitting{}), true
		case len(next) > 0 && next[0] == d.Quote:
			i++
		default:
			return line, false
		}
	}
	return nil, false
}

// resync goes on behind a bad row that err is said of, and returns what of its text is for the eyes of users, until the next
// row is scanned.
func (s *scanner) resync(f *events.Failure) (raw []byte, err error) {
	end, endLine := s.in.offset(), s.line
	s.reread += end - s.start
	if s.reread > rereadSize || !s.rewind() {
		return nil, f
	}
	if s.damage != nil { // it was read to its end
		s.in.pos, s.line = int(end-s.in.base), endLine
	} else if err := s.resyncLines(f, endLine); err != nil {
		return nil, err
	}
	if s.in.kept < 0 {
		return s.in.lost, nil
	}
	raw = firstBytes(s.in.buf[s.in.kept:s.in.pos])
	s.in.release()
	return raw, nil
}

// firstBytes are those that a reject keeps, and one more that tells whether a character is cut through.
func firstBytes(text []byte) []byte { return text[:min(len(text), RawSize+1)] }

// resyncLines skips lines up to one that looks like a row. Behind the line in which the failure showed, only lines with
// quotes are suspect.
func (s *scanner) resyncLines(f *events.Failure, upTo int64) error {
	for n := 0; ; n++ {
		if err := s.skipLine(); err != nil {
			return err
		}
		if n == resyncRows || f.Code == events.CodeRowTooLong || f.Code == events.CodeFieldTooLong {
			return nil
		}
		line, behind, err := s.lineAtHand(0)
		if err != nil {
			return err
		}
		innocent := s.line > upTo && bytes.IndexByte(line, s.opts.Dialect.Quote) < 0
		if behind == 0 || innocent || s.startsRow(line) && (s.line > upTo || !s.quotesInside(line)) {
			return nil
		}
	}
}

// quotesInside reports whether a quote stands within a value that does not start with one, as quotes do that enclose words of
// a text.
func (s *scanner) quotesInside(line []byte) bool {
	d := s.opts.Dialect
	for i := 1; i < len(line); i++ {
		if line[i] == d.Quote && line[i-1] == ' ' && (len(s.delim) == 0 || !bytes.HasSuffix(line[:i], s.delim)) {
			return true
		}
	}
	return false
}
