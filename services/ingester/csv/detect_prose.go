package csv

import "strings"

// isProse recognizes delimiters that are punctuation.
func (c *candidate) isProse() bool {
	rows := c.rows[:min(len(c.rows), ratedRows)]
	if c.width > ratedCells {
		return false
	}
	joints, padded, seams := 0, 0, 0
	for i, r := range rows {
		for _, cell := range c.row(i)[1:] {
			joints++
			if value := c.value(cell); strings.HasSuffix(c.Delimiter, " ") || len(value) > 0 && value[0] == ' ' {
				padded++
			}
		}
		if r.width > 1 && c.hasSeam(i) {
			seams++
		}
	}
	if seams*2 > len(rows) {
		return true
	}
	if padded*5 < joints*4 || c.enclosed > 0 {
		return false
	}
	wordy := 0
	for i := range rows {
		for _, cell := range c.row(i) {
			if kindOf(c.value(cell)) == kindProse {
				wordy++
			}
		}
	}
	return c.agreement < 0.9 && wordy*3 > joints || c.width == 2 && c.above > 0 || len(c.rows) == 1 && wordy > 0
}

// hasSeam reports whether a row is split inside of a time: 12|30, or 12:30:00|123 as in logs.
func (c *candidate) hasSeam(row int) bool {
	cells := c.row(row)
	for i := range cells[1:] {
		left, right := c.value(cells[i]), c.value(cells[i+1])
		digits, rest := cutDigits(right)
		switch c.Delimiter {
		case ":":
			n := len(left)
			if len(digits) == 2 && n > 1 && isDigit(left[n-1]) && isDigit(left[n-2]) {
				return true
			}
		case ",":
			n := len(left)
			if len(digits) == 3 && len(rest) > 0 && rest[0] == ' ' && n > 5 && left[n-3] == ':' && left[n-6] == ':' {
				return true
			}
		}
	}
	return false
}

// isProven asks more of the delimiters that are rare, or common in text.
func (c *candidate) isProven() bool {
	if strings.ContainsAny(c.Delimiter, ",;|\t") {
		return true
	}
	loose := c.Delimiter == " " || c.Delimiter == ":"
	if loose && (c.agreement < 0.9 || c.above > 0) {
		return false
	}
	typed, filled := 0, 0
	for _, col := range c.columns(0, c.width) {
		if col.filled > 0 {
			filled++
		}
		if col.isTyped() {
			typed++
		}
	}
	switch {
	case filled < 2: // as of sentences that all end in "!"
		return false
	case c.prior > priorExotic:
		return true
	case !loose:
		return c.width > 2 && c.above == 0 || c.headed()
	case c.headed() || c.enclosed*2 > len(c.rows):
		return true
	case c.Delimiter == ":":
		return c.width > 3 && typed > 0 && len(c.rows) > 1
	}
	return typed == filled && len(c.rows) > 1
}

// headed reports whether the first row names columns of numbers or the like.
func (c *candidate) headed() bool {
	return len(c.rows) > 1 && c.rows[0].width == c.width && c.judge(0, 1, c.width).names > 0
}
