package data

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	wideWidth = 30
	maxWords  = 9 // of a field
)

func wideColumns() []string {
	columns := make([]string, wideWidth)
	for n := range columns {
		columns[n] = fmt.Sprintf("text_%02d", n+1)
	}
	return columns
}

// words are what the fields are made of, two of them with letters outside ASCII.
func words() []string {
	return strings.Fields(`the of and to in a is that for it as was with be by on not he his but at are this have from
		which one had they you were all their customer address delivery invoice reference description comment quantity
		warehouse supplier contract überfällig façade`)
}

// wideRows are 30 fields of text, all in quotes, of which one in a dozen holds a comma, one in twenty doubled quotes and
// one in a hundred a line end. One in fifty is empty.
func wideRows(r *rand.Rand) func([]byte) []byte {
	vocabulary := words()
	return func(row []byte) []byte {
		for n := range wideWidth {
			if n > 0 {
				row = append(row, ',')
			}
			row = append(row, '"')
			if r.IntN(50) > 0 {
				row = appendText(row, r, vocabulary)
			}
			row = append(row, '"')
		}
		return append(row, '\n')
	}
}

func appendText(row []byte, r *rand.Rand, vocabulary []string) []byte {
	row = append(row, pick(r, vocabulary)...)
	for range r.IntN(maxWords) {
		row = append(row, ' ')
		row = append(row, pick(r, vocabulary)...)
	}
	switch chance := r.IntN(300); {
	case chance < 3:
		row = append(row, "\nand "...)
		row = append(row, pick(r, vocabulary)...)
	case chance < 18:
		row = append(row, ` ""`...)
		row = append(row, pick(r, vocabulary)...)
		row = append(row, `""`...)
	case chance < 43:
		row = append(row, ", "...)
		row = append(row, pick(r, vocabulary)...)
	}
	return row
}
