package csv

import "strconv"

// counts reports whether the only numbers and dates of a row are years.
func (g *grid) counts(row int) bool {
	for _, c := range g.row(row) {
		if value := g.value(c); kindOf(value).typed() && !isYear(value) {
			return false
		}
	}
	return true
}

// counting counts the numbers of a row that count up by one or are years, and are no mere values: there are names beside
// them, and the rows below do not count on.
func (g *grid) counting(cells []cell, cols []columnProfile, body int) int {
	n, years, previous, others := 0, 0, 0, 0
	for j, c := range cells {
		value := g.value(c)
		if j >= len(cols) || cols[j].kind() != kindNumber || kindOf(value) != kindNumber {
			if k := kindOf(value); k == kindName || k == kindProse || k == kindMissing {
				others++
			}
			continue
		}
		i, err := strconv.Atoi(string(value))
		if err != nil || n > 0 && i != previous+1 && !(isYear(value) && years == n && i > previous) {
			return 0
		}
		if isYear(value) {
			years++
		}
		n, previous = n+1, i
	}
	if others == 0 || n < 2 || years != n && n < 3 {
		return 0
	}
	if body < len(g.rows) && g.countsOn(g.row(body), cells) {
		return 0
	}
	return n
}

// countsOn reports whether a row has years, or counts, where the header has.
func (g *grid) countsOn(cells, header []cell) bool {
	n, like := 0, 0
	for j := range min(len(cells), len(header)) {
		value, above := g.value(cells[j]), g.value(header[j])
		if kindOf(value) != kindNumber || kindOf(above) != kindNumber {
			continue
		}
		n++
		a, errA := strconv.Atoi(string(value))
		b, errB := strconv.Atoi(string(above))
		if errA == nil && errB == nil && (isYear(value) && isYear(above) || a-b < 2 && b-a < 2) {
			like++
		}
	}
	return n > 0 && like*2 > n
}

func isYear(value []byte) bool {
	n, err := strconv.Atoi(string(value))
	return err == nil && len(value) == 4 && n >= 1800 && n <= 2199
}
