package csv

import (
	"bytes"
	"unicode/utf8"
)

// verdict is what speaks for and against that a row names the columns.
type verdict struct {
	typed  int // columns that could tell names from values
	names  int // cells that are no values of their typed columns
	values int // cells that are
	firm   int // of these, the ones that are no whole numbers, which could name something
	counts int // of these, whole numbers that count up or name years
	blanks int
	// Of columns that are not typed.
	styled   int // cells that differ from the values below as names do
	repeated int // cells that are values below, too
	plain    int // the others
	known    int // cells that are common names of columns
	unlikely int // cells that hardly any column is called
	twice    int // cells that are equal to another one
}

// judge compares a row with the columns of the rows from body on.
func (g *grid) judge(row, body, width int) verdict {
	var v verdict
	cols := g.columns(body, width)
	cells := g.row(row)
	cells = cells[:min(len(cells), len(cols))]
	below := make([]int, 0, len(g.rows)) // without rows that repeat the whole header
	for i := body; i < len(g.rows); i++ {
		if !g.equal(i, row) {
			below = append(below, i)
		}
	}
	for j := range cells {
		v.add(bytes.TrimSpace(g.value(cells[j])), &cols[j], func(value []byte) bool { return g.occurs(value, j, below) })
	}
	v.twice = g.duplicates(cells)
	v.counts = min(v.values, g.counting(cells, cols, body))
	return v
}

func (v *verdict) add(value []byte, col *columnProfile, occurs func([]byte) bool) {
	k := kindOf(value)
	if k == kindMissing {
		v.blanks++
		return
	}
	if listed(value, columnNames) {
		v.known++
	}
	if utf8.RuneCount(value) > 60 || k == kindAddress || isSentence(value) {
		v.unlikely++
	}
	if col.filled == 0 {
		return
	}
	switch typed := col.kind(); {
	case typed == kindProse:
		switch {
		case occurs(value):
			v.repeated++
		case col.differs(value, k):
			v.styled++
		default:
			v.plain++
		}
	case typed == kindCode:
		v.typed++
		switch {
		case k == kindCode && shapeOf(value) == col.shape:
			v.values++
			v.firm++
		case k == kindName || k == kindProse:
			v.names++
		}
	case k == typed || typed == kindMoment && (k == kindDate || k == kindMoment):
		v.typed++
		v.values++
		if digits, _ := cutDigits(value); len(digits) < len(value) {
			v.firm++
		}
	case typed == kindBoolean && occurs(value):
		v.typed++
		v.values++
		v.firm++
	default:
		v.typed++
		v.names++
	}
}

// isSentence recognizes text that ends like one, or has so many words.
func isSentence(value []byte) bool {
	last := value[len(value)-1]
	spaces := bytes.Count(value, []byte{' '})
	return spaces > 7 || spaces > 2 && (last == '.' || last == '!') || spaces > 2 && bytes.Contains(value, []byte(", "))
}

// certainty is how sure it is that a row is a header: 0 to 1, and below 0 that it is none.
func (v verdict) certainty(g *grid, row int) float64 {
	switch {
	case v.names > v.values, v.names > 0 && v.firm == 0 && (v.names == v.values || v.values == v.counts):
		return 1 - 0.4*float64(v.values+v.repeated)/float64(v.typed+v.repeated)
	case v.values > 0 && v.values == v.counts && v.unlikely == 0:
		return 0.8
	case v.values > 0 && v.known > 0 && v.repeated+v.firm == 0 && g.counts(row):
		return 0.6
	case v.values > 0:
		return -1 + 0.3*float64(v.names)/float64(v.typed)
	}
	return v.ofText(g, row)
}

// ofText is the certainty where all columns are text, or where there is nothing below.
func (v verdict) ofText(g *grid, row int) float64 {
	cells := g.row(row)
	alone := g.bodyBelow(row) == len(g.rows)
	if alone {
		for _, c := range cells {
			if k := kindOf(g.value(c)); k.typed() && k != kindBoolean { // "n" and "on" are names as well
				return -0.6
			}
		}
	}
	judged := v.styled + v.plain + v.repeated
	switch {
	case v.blanks == len(cells) || v.unlikely > 0 || v.repeated > 0 || v.twice > 0 && v.known == 0:
		return -0.6
	case alone && g.bodyBelow(row) > row+1:
		return -0.5
	case alone, v.known*2 > len(cells):
		return 0.7
	case v.blanks > 0 && v.styled < judged:
		return -0.5
	case len(cells) == 1 && v.known == 0 && g.recur(g.bodyBelow(row)):
		return 0.5 // one word once above others that come again and again
	case len(cells) == 1 && v.known == 0:
		return -0.5 // one column of words: nothing is lost when the first of them is a value
	case v.styled*2 >= judged && judged > 0:
		return 0.3 + 0.6*float64(v.styled)/float64(judged)
	}
	return 0.3 // most files have a header
}

// recur reports whether the rows from one on are the same few ones again and again.
func (g *grid) recur(from int) bool {
	seen := map[string]bool{}
	for i := from; i < len(g.rows); i++ {
		seen[string(g.value(g.row(i)[0]))] = true
	}
	return len(seen)*2 <= len(g.rows)-from && len(g.rows)-from >= 3
}
