package csv

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/pkg/events"
)

const (
	nameSize     = 63  // bytes of a name that Postgres keeps
	originalSize = 256 // bytes of a cell that the report keeps
)

// The rules by which a column gets a name that its header cell is not.
const (
	ruleBlank     = "blank"
	ruleDuplicate = "duplicate"
	ruleTooLong   = "too_long"
	ruleReserved  = "reserved"
	ruleGenerated = "generated"
)

// nameColumns names columns by the cells of a header. A name that can stay as it is does, wherever it stands; the others
// are mended around those.
func nameColumns(cells [][]byte) []events.Column {
	columns := make([]events.Column, len(cells))
	names := make(nameSet, len(cells))
	for i, cell := range cells {
		c := &columns[i]
		*c = events.Column{Original: cut(string(cell), originalSize), Type: "text", Rule: ruleOf(cell)}
		if c.Rule != "" {
			continue
		}
		if c.Name = string(cell); !names.add(c.Name) {
			c.Rule = ruleDuplicate
		}
	}
	for i, cell := range cells {
		if columns[i].Rule != "" {
			columns[i].Name = names.mend(columns[i].Rule, i+1, string(cell))
		}
	}
	return columns
}

// generateColumns names the columns of a file without a header.
func generateColumns(n int) []events.Column {
	columns := make([]events.Column, n)
	for i := range columns {
		columns[i] = events.Column{Name: numbered(i + 1), Type: "text", Rule: ruleGenerated}
	}
	return columns
}

// ruleOf says what makes a cell unfit for a name, whatever the other cells are.
func ruleOf(cell []byte) string {
	switch {
	case len(cell) > nameSize:
		return ruleTooLong
	case strings.TrimSpace(string(cell)) == "":
		return ruleBlank
	case reserved(string(cell)):
		return ruleReserved
	}
	return ""
}

// reserved reports the names of the columns that every table of Postgres has.
func reserved(name string) bool {
	switch name {
	case "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid":
		return true
	}
	return false
}

func numbered(n int) string { return "column_" + strconv.Itoa(n) }

// nameSet holds the names in use, in lower case, as names that differ only in case are taken for the same.
type nameSet map[string]bool

// add reports whether the name was free.
func (t nameSet) add(name string) bool {
	key := strings.ToLower(name)
	free := !t[key]
	t[key] = true
	return free
}

// mend makes a free name for the n-th column out of its cell.
func (t nameSet) mend(rule string, n int, cell string) string {
	switch rule {
	case ruleBlank:
		return t.unique(numbered(n), "")
	case ruleTooLong:
		hash := sha256.Sum256([]byte(cell)) // tells cells apart that start alike
		return t.unique(cell, "_"+hex.EncodeToString(hash[:4]))
	case ruleReserved:
		return t.unique(cell+"_", "")
	}
	return t.unique(cell, "") // a duplicate, so that the cell itself is taken
}

// unique joins stem and tail, and a number from 2 if that is taken, at the cost of the stem's end where it gets too long.
func (t nameSet) unique(stem, tail string) string {
	suffix := tail
	for n := 2; ; n++ {
		if name := cut(stem, nameSize-len(suffix)) + suffix; t.add(name) {
			return name
		}
		suffix = tail + "_" + strconv.Itoa(n)
	}
}

// cut shortens a text to at most size bytes without cutting through a character.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}
