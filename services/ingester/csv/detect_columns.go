package csv

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

const (
	profiledRows  = 40  // that tell what a column is like
	judgedColumns = 500 // that tell whether there is a header
)

// columnProfile is what the values of a column are like.
type columnProfile struct {
	values   [][]byte // other than missing ones
	filled   int      // how many these are
	kinds    [kindCount]int
	shape    shape // of the first code
	shaped   int   // how many values have it
	shortest int   // value, in characters
	longest  int
	lower    int // values all in lower case
	snake    int // values of one word with an underscore
}

// shape is a code with each run of letters, and of digits, as one.
type shape [12]byte

func shapeOf(value []byte) shape {
	var s shape
	runs := s[:0]
	for _, c := range value {
		switch {
		case isDigit(c):
			c = '9'
		case isLetter(c):
			c = 'a'
		}
		if n := len(runs); n == 0 || runs[n-1] != c {
			runs = append(runs, c)
		}
		if len(runs) == len(s) {
			break
		}
	}
	return s
}

// columns looks at the rows from one on.
func (g *grid) columns(from, width int) []columnProfile {
	cols := make([]columnProfile, min(width, judgedColumns))
	rows := 0
	for i := from; i < len(g.rows) && rows < profiledRows; i++ {
		if r := g.rows[i]; r.torn || r.width*2 <= width && width > 1 {
			continue
		}
		rows++
		for j, c := range g.row(i) {
			if j == len(cols) {
				break
			}
			cols[j].add(g.value(c))
		}
	}
	return cols
}

func (c *columnProfile) add(value []byte) {
	k := kindOf(value)
	c.kinds[k]++
	if k == kindMissing {
		return
	}
	c.values = append(c.values, value)
	c.filled++
	if k == kindCode {
		s := shapeOf(value)
		if c.kinds[kindCode] == 1 {
			c.shape = s
		}
		if c.shape == s {
			c.shaped++
		}
	}
	n := utf8.RuneCount(value)
	if c.filled == 1 {
		c.shortest = n
	}
	c.shortest, c.longest = min(c.shortest, n), max(c.longest, n)
	if isLower(value) {
		c.lower++
	}
	if k != kindProse && bytes.IndexByte(value, '_') > 0 {
		c.snake++
	}
}

// kind is what most values are: one that tells them from names, or else prose.
func (c *columnProfile) kind() kind {
	for k := kindNumber; k <= kindAddress; k++ {
		if c.most(c.kinds[k]) && (k != kindBoolean || c.filled > 1) {
			return k
		}
	}
	if c.most(c.kinds[kindDate] + c.kinds[kindMoment]) {
		return kindMoment
	}
	if c.most(c.shaped) {
		return kindCode
	}
	return kindProse
}

// most reports whether n are nearly all of the values.
func (c *columnProfile) most(n int) bool { return n > 0 && n*5 >= c.filled*4 }

func (c *columnProfile) isTyped() bool { return c.kind() != kindProse }

// isLower reports whether a word has letters, none of them a capital. Letters beyond ASCII do not count.
func isLower(value []byte) bool {
	letters := false
	for _, c := range value {
		if c >= 'A' && c <= 'Z' {
			return false
		}
		letters = letters || c >= 'a' && c <= 'z'
	}
	return letters
}

// differs reports whether a cell differs from the values of a column of text as its name would.
func (c *columnProfile) differs(value []byte, k kind) bool {
	n := utf8.RuneCount(value)
	words := c.kinds[kindName] + c.kinds[kindCode]
	switch {
	case listed(value, columnNames):
		return true
	case n*4 < c.shortest*3 || n*3 > c.longest*4:
		return true
	case isLower(value) && c.lower*10 <= c.filled:
		return true
	case k != kindProse && bytes.IndexByte(value, '_') > 0 && c.snake*10 <= c.filled:
		return true
	case k == kindCode && c.kinds[kindCode]*10 <= c.filled, k == kindName && words*10 <= c.filled:
		return true // a word with digits above others, one word above several each
	}
	return c.filled > 3 && c.distinct()*2 <= c.filled // values come again and again, the name does not
}

// distinct counts the values that are not equal to one before.
func (c *columnProfile) distinct() int {
	n := 0
	for i, value := range c.values {
		if !slices.ContainsFunc(c.values[:i], func(other []byte) bool { return bytes.Equal(other, value) }) {
			n++
		}
	}
	return n
}

// occurs reports whether a value is found in a column of some rows.
func (g *grid) occurs(value []byte, col int, rows []int) bool {
	for _, i := range rows {
		if cells := g.row(i); col < len(cells) && bytes.Equal(bytes.TrimSpace(g.value(cells[col])), value) {
			return true
		}
	}
	return false
}

// equal reports whether two rows are the same.
func (g *grid) equal(a, b int) bool {
	first, second := g.row(a), g.row(b)
	if len(first) != len(second) {
		return false
	}
	for i := range first {
		if !bytes.Equal(g.value(first[i]), g.value(second[i])) {
			return false
		}
	}
	return true
}

// duplicates counts the cells that are not blank and equal to one before.
func (g *grid) duplicates(cells []cell) int {
	seen := make(map[string]bool, len(cells))
	n := 0
	for _, c := range cells {
		if value := string(g.value(c)); value != "" {
			if seen[value] {
				n++
			}
			seen[value] = true
		}
	}
	return n
}
