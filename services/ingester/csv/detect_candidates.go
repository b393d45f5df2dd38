package csv

import (
	"bytes"
	"strings"
)

// delimiter is a candidate, with how far it is to be preferred to others that split a sample as well.
type delimiter struct {
	text  string
	prior float64
}

const (
	priorControl = 0.97 // a control character has no other use
	priorLong    = 0.85
	priorExotic  = 0.80
	priorLoose   = 0.70 // of what stands between words as well
)

// delimiters are the candidates of one character.
func delimiters() []delimiter {
	return []delimiter{
		{",", 1}, {";", 0.99}, {"\t", 0.99}, {"|", 0.98}, {"\x01", priorControl}, {"\x1f", priorControl},
		{"~", priorExotic}, {"^", priorExotic}, {"#", priorExotic}, {"&", priorExotic}, {"!", priorExotic},
		{":", priorLoose}, {" ", priorLoose},
	}
}

// longDelimiters are those of several characters other than spaces. One that contains another comes first.
func longDelimiters() []string {
	return []string{
		"|~|", "~|~", "|^|", "^|^", "|#|", "#|#", "||", "::", ";;", "\t\t", "~~", "^^", "##", "@@", "$$", "&&", "!!", "|;|", "<>", `\t`,
	}
}

// candidate is one way that a sample may have been written.
type candidate struct {
	grid
	prior     float64
	width     int     // of most rows
	agreeing  int     // rows that have it
	agreement float64 // which part of the rows that is, those that almost have it counted in part
	above     int     // narrower rows above the first of that width
	score     float64
}

// chooser looks for the way that a sample was written.
type chooser struct {
	text     []byte
	complete bool
	stated   Stated
	best     candidate
	second   float64 // the best score of another delimiter
}

// choose finds the best candidate.
func (c *chooser) choose() {
	if c.stated.Delimiter != nil {
		only := c.written(delimiter{*c.stated.Delimiter, 1})
		only.narrow()
		c.consider(only)
		return
	}
	c.consider(c.oneColumn())
	barred := ""
	for _, text := range longDelimiters() {
		if !bytes.Contains(c.text, []byte(text)) || !allows(c.stated, text) || strings.ContainsAny(text, barred) {
			continue
		}
		long := c.written(delimiter{text, priorLong})
		if long.width > 1 && long.agreement > 0.5 && long.leftover(text) == 0 {
			// What such a delimiter consists of has no other use in the file, and is none by itself.
			barred += text
			long.rate(1, c.best.score)
		}
		c.consider(long)
	}
	lines := bytes.Count(c.text, []byte{'\n'}) + bytes.Count(c.text, []byte{'\r'})
	for _, d := range delimiters() {
		n := bytes.Count(c.text, []byte(d.text))
		if n == 0 || d.prior <= priorExotic && n < lines/20 || !allows(c.stated, d.text) || strings.Contains(barred, d.text) {
			continue
		}
		if padded, ok := c.padded(d, n); ok {
			c.consider(padded)
			continue
		}
		c.consider(c.written(d))
	}
}

// narrow makes a table of one column out of one that has others in few rows only.
func (c *candidate) narrow() {
	single := 0
	for _, r := range c.rows {
		if r.width == 1 {
			single++
		}
	}
	if single > 2*(len(c.rows)-single) {
		c.width, c.above = 1, 0
	}
}

// allows reports whether a delimiter can be one beside the quote and the escape.
func allows(s Stated, text string) bool {
	for _, stated := range []*string{s.Quote, s.Escape} {
		if stated != nil && *stated != "" && strings.Contains(text, *stated) {
			return false
		}
	}
	return true
}

// padded looks for spaces around a delimiter that occurs n times: they are part of it if they are there each time.
func (c *chooser) padded(d delimiter, n int) (candidate, bool) {
	if d.text == " " || d.text == "\t" || d.text == ":" {
		return candidate{}, false
	}
	for _, text := range []string{" " + d.text + " ", d.text + " ", " " + d.text} {
		if bytes.Count(c.text, []byte(text))*2 < n || !allows(c.stated, text) {
			continue
		}
		p := c.written(delimiter{text, d.prior})
		if p.width > 1 && p.leftover(d.text) == 0 {
			return p, true
		}
	}
	return candidate{}, false
}

// leftover counts the cells in which a character of a delimiter is left.
func (g *grid) leftover(text string) int {
	n := 0
	for _, c := range g.cells {
		if c.quoting != enclosed && bytes.ContainsAny(g.value(c), text) {
			n++
		}
	}
	return n
}

// consider takes a candidate over if it is the best so far.
func (c *chooser) consider(next candidate) {
	if next.score > c.best.score || c.best.width == 0 {
		next, c.best = c.best, next
	}
	c.second = max(c.second, next.score)
}

// oneColumn is the candidate without a delimiter. It does not fit badly ever, but others fit better.
func (c *chooser) oneColumn() candidate {
	one := c.written(delimiter{"", 1})
	one.width, one.agreement, one.score = 1, 1, scoreOfLines
	typed, commas, ragged := 0, 0, 0
	rows := one.rows[:min(len(one.rows), linesRated)]
	for i := range rows {
		cell := one.row(i)[0]
		value := one.value(cell)
		switch k := kindOf(value); {
		case cell.quoting == torn:
			ragged++
		case i > 0 && k == kindNumber && bytes.IndexByte(value, ',') >= 0:
			commas++
		case k.typed() && (k != kindNumber || bytes.IndexByte(value, ',') < 0) && (i > 0 || len(rows) == 1):
			typed++
		}
	}
	below := max(len(rows)-1, 1)
	switch {
	case typed*10 >= below*9:
		one.score = scoreOfValues
	case (typed+commas)*10 >= below*9 && len(rows) > 1 && bytes.IndexByte(one.value(one.row(0)[0]), ',') < 0:
		one.score = scoreOfValues // with decimal commas, as the first line has no comma
	case ragged > len(rows)/2:
		one.score = scoreOfTornLines
	}
	return one
}

const (
	scoreOfValues    = 2    // each line is a value by itself
	scoreOfLines     = 0.35 // of which a line is not known to be anything
	scoreOfTornLines = 0.1
	linesRated       = 100
)
