package csv

import "bytes"

// detection is how a file is written, and how sure that is.
type detection struct {
	Dialect            // complete
	fields     int     // of most rows or of the header, whichever has more; at least 1
	lineEnd    string  // "lf", "crlf", "cr", "mixed" or "none"
	confidence float64 // 0 to 1: of the least certain of what was detected; 1 if all was stated
}

// detect decides how a file is written of which sample is the first part, in UTF-8 without byte order mark. That the
// sample is complete says that it is all of the file. What is stated stands.
//
// Each candidate for a delimiter splits the sample, with the quote that fits best. The one wins whose rows agree best in
// their number of fields and whose cells look most like whole values. Then the rows on top are compared with the columns
// below: names are no values of a column of numbers or the like, and are unlike those of a column of text.
func detect(sample []byte, complete bool, stated Stated) detection {
	d := detection{fields: 1, lineEnd: lineEndOf(sample), confidence: 1}
	above := 0
	if stated.SkipRows != nil {
		above = max(*stated.SkipRows, 0)
	}
	if hint := hintOf(sample); hint != "" && stated.SkipRows == nil && stated.Delimiter == nil && allows(stated, hint) {
		above, stated.Delimiter, stated.SkipRows = 1, &hint, new(1)
	}
	c := chooser{text: withoutLines(sample, above), complete: complete, stated: stated}
	c.choose()
	best := &c.best
	l := best.layout(best.width, stated)
	d.Dialect = best.Dialect
	d.SkipRows, d.HeaderRows = above+l.skip, l.rows
	if stated.HeaderRows > 0 && (stated.Header == nil || *stated.Header) {
		d.HeaderRows = stated.HeaderRows
	}
	if len(best.rows) == 0 {
		return c.empty(d)
	}
	d.fields = best.fields(l)
	d.confidence = c.confidence(l)
	return d
}

// hintOf is the delimiter that the first line names, as spreadsheets have it: sep=;
func hintOf(sample []byte) string {
	const prefix = "sep="
	n := len(prefix)
	if len(sample) <= n+1 || !bytes.EqualFold(sample[:n], []byte(prefix)) || lineEndAt(sample, n+1) == 0 {
		return ""
	}
	if c := sample[n]; separates(c) && !isQuote(c) && !isDigit(c) && !isLetter(c) {
		return string(rune(c))
	}
	return ""
}

// empty completes the detection where there is nothing to go by: the file is of RFC 4180 as far as nothing is stated.
func (c *chooser) empty(d detection) detection {
	if c.stated.Delimiter == nil {
		for _, candidate := range delimiters() {
			if allows(c.stated, candidate.text) {
				d.Delimiter = candidate.text
				break
			}
		}
	}
	if c.stated.Header != nil && *c.stated.Header {
		d.HeaderRows = max(d.HeaderRows, 1)
	}
	return d
}

// fields is the width of the table: that of the header, unless nearly all rows have more values.
func (c *candidate) fields(l layout) int {
	if l.rows == 0 {
		return c.width
	}
	header, wider, rows := c.rows[l.first].width, 0, 0
	if c.rows[l.first].torn {
		return max(c.width, header) // its cells are not what they seem
	}
	for i := l.first + l.rows; i < len(c.rows); i++ {
		if c.rows[i].width*2 <= c.width {
			continue // a footer
		}
		if rows++; c.rows[i].width > header && !c.isEmpty(c.row(i)[header:]) {
			wider++
		}
	}
	if wider*10 >= rows*8 && rows > 0 {
		return max(c.width, header)
	}
	return header
}

// confidence is the lower one of two: how many rows agree and how far the next best delimiter is behind, and how sure it
// is that there is a header or none.
func (c *chooser) confidence(l layout) float64 {
	sure := 1.0
	if c.stated.Delimiter == nil {
		margin := (c.best.score - c.second) / max(c.best.score, c.second, 0.01)
		sure = c.best.agreement * (0.5 + min(0.5, max(margin, 0)))
	}
	if c.stated.Header == nil && c.stated.HeaderRows == 0 {
		sure = min(sure, l.certainty)
	}
	return min(max(sure, 0), 1)
}
