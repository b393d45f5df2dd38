package csv

import "bytes"

// sampleRows is how many rows are split off a sample at most: more would not change what is detected.
const sampleRows = 300

// grid is a sample split into rows in one of the ways that it may have been written.
type grid struct {
	Dialect  // the way; of it, HeaderRows and SkipRows say nothing
	text     []byte
	rows     []gridRow // without blank lines
	cells    []cell    // of all rows
	enclosed int       // how many cells are in quotes
	needed   int       // and how many of these would not be one cell, or another one, without
	torn     int       // how many start like those but do not end so
}

// gridRow is one row of a grid.
type gridRow struct {
	first, width int // of its cells
	line         int // how many physical lines are above
	torn         bool
}

// cell is where a value lies in the sample, without the quotes around it.
type cell struct {
	from, to int
	quoting  quoting
}

// quoting is how a cell uses the quote.
type quoting uint8

const (
	bare     quoting = iota
	enclosed         // it is in quotes
	torn             // it starts with a quote that is not closed, or that is closed in the middle of the cell
)

func (g *grid) row(i int) []cell { return g.cells[g.rows[i].first:][:g.rows[i].width] }

func (g *grid) value(c cell) []byte { return g.text[c.from:c.to] }

// splitter makes a grid. It is more lenient than the scanner: a stray quote must not swallow the rows behind it.
type splitter struct {
	grid
	complete bool
	at, line int
	cut      bool // the sample ends inside the row in hand
}

// split splits a sample. The last row of one that is not complete is left out where it may be cut off, unless there is
// no other.
func split(text []byte, complete bool, d Dialect) grid {
	s := splitter{grid: grid{Dialect: d, text: text}, complete: complete}
	delimiters := 0
	if d.Delimiter != "" {
		delimiters = bytes.Count(text, []byte(d.Delimiter))
	}
	s.cells, s.rows = make([]cell, 0, delimiters+sampleRows), make([]gridRow, 0, sampleRows)
	for s.at < len(text) && len(s.rows) < sampleRows {
		s.record()
	}
	if last := len(s.rows) - 1; s.cut && last > 0 {
		s.cells, s.rows = s.cells[:s.rows[last].first], s.rows[:last]
	}
	return s.grid
}

// record splits the row at hand, or passes over a line that is none.
func (s *splitter) record() {
	if s.lineEnd() {
		return
	}
	if s.Comment != "" && bytes.HasPrefix(s.text[s.at:], []byte(s.Comment)) {
		for !s.lineEnd() && s.at < len(s.text) {
			s.at++
		}
		return
	}
	row := gridRow{first: len(s.cells), line: s.line}
	quotes := s.Quote != 0
	for more := true; more; more = s.delimiter() {
		c := cell{from: s.at}
		if quotes && s.at < len(s.text) && s.text[s.at] == s.Quote {
			c.quoting = s.closing()
			if c.quoting == torn {
				row.torn = true
				s.torn++
			}
			// Where one quote is never closed in its line, none behind it is.
			quotes = s.at > c.from
		}
		if s.at == c.from {
			s.plain()
		}
		if c.to = s.at; c.quoting == enclosed {
			c.from++
			c.to = max(c.from, c.to-1)
			s.enclosed++
		}
		s.cells = append(s.cells, c)
	}
	row.width = len(s.cells) - row.first
	s.rows = append(s.rows, row)
	s.cut = s.cut || !s.complete && s.at == len(s.text)
	s.lineEnd()
}

// plain goes to the end of a cell that is not in quotes.
func (s *splitter) plain() {
	first := byte('\n')
	if s.Delimiter != "" {
		first = s.Delimiter[0]
	}
	for i, c := range s.text[s.at:] {
		if c == '\n' || c == '\r' || c == first && (len(s.Delimiter) == 1 || s.delimiterAt(s.at+i)) {
			s.at += i
			return
		}
	}
	s.at = len(s.text)
}

// closing goes behind the closing quote of the cell at hand, or nowhere if there is none.
func (s *splitter) closing() quoting {
	how, lines, needed := enclosed, 0, 0
	for i := s.at + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == s.Escape && c != 0 && i+1 < len(s.text) && (s.text[i+1] == s.Quote || s.text[i+1] == c):
			i++
			needed = 1
		case c == s.Quote && i+1 < len(s.text) && s.text[i+1] == s.Quote:
			i++
			needed = 1
		case c == s.Quote && s.separatorAt(i+1):
			s.at, s.line = i+1, s.line+lines
			s.needed += needed
			return how
		case c == s.Quote:
			how = torn
		case c == '\n' || c == '\r':
			if c == '\n' || i+1 == len(s.text) || s.text[i+1] != '\n' {
				lines++
			}
			needed = 1
		case s.Delimiter != "" && c == s.Delimiter[0]:
			needed = 1
		}
		if how == torn && lines > 0 {
			return torn // a value of several lines is not that badly written
		}
	}
	if !s.complete && how == enclosed && !s.rowsBehind() {
		s.at, s.cut = len(s.text), true
		return enclosed
	}
	return torn
}

// rowsBehind reports whether what follows a quote that is not closed looks like further rows, and so the quote like a
// stray one, rather than like the first part of a long value.
func (s *splitter) rowsBehind() bool {
	rest := s.text[s.at:]
	if len(s.rows) == 0 || s.rows[0].width == 1 {
		return len(rest) > len(s.text)/2
	}
	lines, alike := 0, 0
	for line := range bytes.FieldsFuncSeq(rest, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if lines++; bytes.Count(line, []byte(s.Delimiter)) == s.rows[0].width-1 {
			alike++
		}
	}
	return lines > 1 && alike*2 >= lines-1
}

func (s *splitter) delimiterAt(at int) bool {
	return s.Delimiter != "" && bytes.HasPrefix(s.text[at:], []byte(s.Delimiter))
}

// separatorAt reports whether a cell may end at a place.
func (s *splitter) separatorAt(at int) bool {
	return at >= len(s.text) || s.text[at] == '\n' || s.text[at] == '\r' || s.delimiterAt(at)
}

// delimiter passes over one.
func (s *splitter) delimiter() bool {
	if !s.delimiterAt(s.at) {
		return false
	}
	s.at += len(s.Delimiter)
	return true
}

// lineEnd passes over one.
func (s *splitter) lineEnd() bool {
	n := lineEndAt(s.text, s.at)
	if n > 0 {
		s.line++
	}
	s.at += n
	return n > 0
}

// lineEndAt is how long the line end at a place is, 0 if there is none.
func lineEndAt(text []byte, at int) int {
	switch {
	case at >= len(text):
		return 0
	case text[at] == '\n':
		return 1
	case text[at] == '\r' && at+1 < len(text) && text[at+1] == '\n':
		return 2
	case text[at] == '\r':
		return 1
	}
	return 0
}

// withoutLines is what is left of a sample below some physical lines.
func withoutLines(text []byte, lines int) []byte {
	at := 0
	for ; lines > 0 && at < len(text); lines-- {
		for at < len(text) && lineEndAt(text, at) == 0 {
			at++
		}
		at += lineEndAt(text, at)
	}
	return text[at:]
}

// lineEndOf names the line ends of a sample, as if it had no quotes.
func lineEndOf(text []byte) string {
	crlf := bytes.Count(text, []byte("\r\n"))
	lf, cr := bytes.Count(text, []byte("\n"))-crlf, bytes.Count(text, []byte("\r"))-crlf
	switch {
	case lf+cr+crlf == 0:
		return "none"
	case lf+cr == 0:
		return "crlf"
	case cr+crlf == 0:
		return "lf"
	case lf+crlf == 0:
		return "cr"
	}
	return "mixed"
}
