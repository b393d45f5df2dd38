package csv

import "bytes"

// headerLimit is how many rows a header has at most.
const headerLimit = 10

// layout is what lies above the rows of a table.
type layout struct {
	skip      int // lines
	first     int // row of the header, or else of the table
	rows      int // of the header
	certainty float64
}

// layout finds the titles and the header of a table. A header that is known to be there needs no evidence; without one
// there are no titles, as these could be rows that are short.
func (g *grid) layout(width int, stated Stated) layout {
	if len(g.rows) == 0 {
		return layout{certainty: 1}
	}
	if stated.Header != nil && !*stated.Header {
		return layout{certainty: 1}
	}
	known := stated.Header != nil || stated.HeaderRows > 0
	if stated.SkipRows == nil {
		if first := g.titles(width); first > 0 && first < len(g.rows) {
			rows, certainty := g.header(first, width)
			if certainty < 0.5 {
				rows = 0 // what is skipped must not be rows
			}
			if rows == 0 && known && g.judge(first, first+1, width).values == 0 {
				rows, certainty = 1, 0.5
			}
			if rows > 0 || !known && g.standsApart(first, width) {
				return layout{skip: g.rows[first].line, first: first, rows: rows, certainty: certainty}
			}
		}
	}
	rows, certainty := g.header(0, width)
	if known {
		rows, certainty = max(rows, 1), 1
	}
	return layout{rows: rows, certainty: certainty}
}

// titles counts the rows on top that look like titles.
func (g *grid) titles(width int) int {
	marked := 0 // rows on top that start like comments
	for marked < len(g.rows) && g.isMarked(marked) {
		marked++
	}
	n := 0
	for n < min(len(g.rows), linesAbove) && g.isTitle(n, width, marked) {
		n++
	}
	if below := g.belowGap(width); below > n {
		return below
	}
	for k := n + 1; k < min(len(g.rows), linesAbove) && g.rows[k-1].width < width; k++ {
		if g.rows[k].width == width && g.isBelowBlank(k) {
			return k
		}
	}
	return n
}

// belowGap is the first row below a gap, a blank line or a row of nothing but delimiters, that parts titles from a table: the
// rows above are half empty, or there is but one, and the row below is surely a header. It is 0 if there is no gap.
func (g *grid) belowGap(width int) int {
	sparse := true
	for k := range min(len(g.rows)-1, linesAbove) {
		below := k + 1
		if g.filled(k) > 0 {
			sparse = sparse && g.filled(k)*2 <= width && width > 2
			if !g.isBelowBlank(below) {
				continue
			}
		} else if k == 0 || !sparse {
			return 0
		}
		if g.rows[below].width != width {
			continue
		}
		if rows, certainty := g.header(below, width); rows > 0 && (certainty >= 0.8 && k == 0 || sparse && certainty >= 0.5) {
			return below
		}
	}
	return 0
}

// filled counts the cells of a row that are not empty.
func (g *grid) filled(row int) int {
	n := 0
	for _, c := range g.row(row) {
		if c.from < c.to {
			n++
		}
	}
	return n
}

// isBelowBlank reports whether there is a blank line above a row.
func (g *grid) isBelowBlank(row int) bool {
	start := g.row(row)[0].from
	if g.row(row)[0].quoting == enclosed {
		start--
	}
	above := g.text[:start]
	return bytes.HasSuffix(above, []byte("\n\n")) || bytes.HasSuffix(above, []byte("\n\r\n")) || bytes.HasSuffix(above, []byte("\r\r"))
}

// standsApart reports whether a blank line parts a table from titles of half its width or less: then they are no rows of
// it even if there is no header.
func (g *grid) standsApart(first, width int) bool {
	for i := range first {
		if g.rows[i].width*2 > width {
			return false
		}
	}
	return width > 2 && g.rows[first].width == width && g.isBelowBlank(first)
}

func (g *grid) isMarked(row int) bool {
	return bytes.HasPrefix(g.text[g.row(row)[0].from:], []byte("#")) && g.row(row)[0].quoting == bare
}

func (g *grid) isTitle(row, width, marked int) bool {
	cells := g.row(row)
	if row < marked {
		// What starts like a comment may be a header, such as "#,name": if so, it is the only one, as wide as the table.
		value := g.value(cells[0])
		spaced := len(value) > 1 && (value[1] == ' ' || value[1] == '#')
		if width == 1 {
			return spaced && marked < len(g.rows) && !g.marksBelow(marked)
		}
		return len(cells) != width || marked > 1 && row < marked-1 || spaced && marked < len(g.rows) && g.looksNamed(marked, width)
	}
	filled, spaced := 0, 0
	for _, c := range cells {
		if c.from < c.to {
			filled++
			if g.text[c.from] == ' ' {
				spaced++ // behind a delimiter that is punctuation here
			}
		}
	}
	return len(cells)*2 <= width || len(cells) < width && (len(cells)-spaced)*2 <= width || width > 2 && filled <= 1
}

// marksBelow reports whether any row from one on starts like a comment.
func (g *grid) marksBelow(from int) bool {
	for i := from; i < len(g.rows); i++ {
		if g.isMarked(i) {
			return true
		}
	}
	return false
}

func (g *grid) looksNamed(row, width int) bool {
	rows, _ := g.header(row, width)
	return rows > 0
}

// header counts the rows of the header that starts with a row.
func (g *grid) header(first, width int) (rows int, certainty float64) {
	v := g.judge(first, g.bodyBelow(first), width)
	certainty = v.certainty(g, first)
	if len(g.rows) < profiledRows || v.typed > 1 {
		if several := g.groupRows(first, width); several > 1 {
			return several, max(certainty, 0.7)
		}
	}
	if certainty < 0 {
		return 0, -certainty
	}
	rows = g.bodyBelow(first) - first
	if first+rows == len(g.rows) || width == 1 && v.names == 0 {
		rows = 1 // nothing but one row again and again
	}
	return rows, certainty
}

// bodyBelow is the first row that does not repeat the header's.
func (g *grid) bodyBelow(first int) int {
	body := first + 1
	for body < len(g.rows) && body-first < headerLimit && g.equal(first, body) {
		body++
	}
	return body
}

// groupRows counts the rows of a header of several that differ: groups above names. They are many only where a group leaves
// cells between two others empty, and all columns of numbers, dates and times say so, two at least. A row of units is not
// told from a row of values that are missing, and is one of the rows.
func (g *grid) groupRows(first, width int) int {
	rows := 1
	for next := first + 1; next < len(g.rows)-1 && next < first+headerLimit && g.counts(next) && g.hasGap(next-1); next++ {
		v := g.judge(next, next+1, width)
		if v.names < 2 || (v.names+v.blanks)*2 < v.typed || v.values+v.unlikely+v.repeated+v.plain > 0 || g.rows[next].width*2 <= width {
			break
		}
		if top := g.judge(first, next+1, width); top.values > top.counts && !g.counts(first) || top.unlikely > 0 {
			break
		}
		rows = next + 1 - first
	}
	return rows
}

// hasGap reports whether a row has an empty cell between two that are not.
func (g *grid) hasGap(row int) bool {
	cells := g.row(row)
	last := len(cells) - 1
	for last > 0 && cells[last].from == cells[last].to {
		last--
	}
	for i := 1; i < last; i++ {
		if cells[i].from == cells[i].to {
			return true
		}
	}
	return false
}
