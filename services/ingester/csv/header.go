package csv

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
	ruleSnake     = "snake"
)

// naming says how columns are named.
type naming struct {
	snake bool     // lower snake case is asked for
	taken []string // names, in lower case, of columns that the table gets besides those of the file
}

// nameColumns names as many columns as width, or as the header has cells if those are more. A header of several rows
// names a column by its cells from top to bottom. A name that can stay as it is does, wherever it stands; the others are
// mended around those.
func nameColumns(header [][][]byte, width int, o naming) []events.Column {
	for _, row := range header {
		width = max(width, len(row))
	}
	columns := make([]events.Column, width)
	stems := make([]string, width) // what the names should be
	names := make(nameSet, width)
	for _, name := range o.taken {
		names.add(name)
	}
	for i := range columns {
		original, found := headerText(header, i)
		stems[i] = original
		if o.snake {
			stems[i] = snake(original)
		}
		c := &columns[i]
		*c = events.Column{Original: Cut(original, originalSize), Type: "text", Rule: o.rule(stems[i])}
		switch {
		case !found:
			c.Rule = ruleGenerated
		case c.Rule != "":
		case stems[i] != original:
			c.Rule = ruleSnake
		case names.add(original):
			c.Name = original
		default:
			c.Rule = ruleDuplicate
		}
	}
	for i := range columns {
		if c := &columns[i]; c.Rule == ruleSnake {
			if names.add(stems[i]) {
				c.Name = stems[i]
			} else {
				c.Rule = ruleDuplicate
			}
		}
	}
	for i := range columns {
		if c := &columns[i]; c.Name == "" {
			c.Name = names.mend(c.Rule, i+1, stems[i])
		}
	}
	return columns
}

// generateColumns names the columns of a file without a header.
func generateColumns(n int) []events.Column {
	return nameColumns(nil, n, naming{})
}

// headerText joins the cells of a column that are not blank, and reports whether there are any cells at all.
func headerText(header [][][]byte, column int) (text string, found bool) {
	var cells [][]byte
	for _, row := range header {
		if column >= len(row) {
			continue
		}
		found = true
		if len(header) == 1 || len(bytes.TrimSpace(row[column])) > 0 {
			cells = append(cells, row[column])
		}
	}
	return string(bytes.Join(cells, []byte{' '})), found
}

// rule says what makes a text unfit for a name, whatever the other columns are.
func (o naming) rule(text string) string {
	switch {
	case len(text) > nameSize:
		return ruleTooLong
	case strings.TrimSpace(text) == "":
		return ruleBlank
	case reserved(text) || slices.Contains(o.taken, strings.ToLower(text)):
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

// snake turns a text into lower snake case: its letters and digits, with one underscore between words.
func snake(text string) string {
	runes := []rune(text)
	var name strings.Builder
	gap := false
	for i, r := range runes {
		if !inWord(r) {
			gap = true
			continue
		}
		if name.Len() == 0 {
			if unicode.IsDigit(r) {
				name.WriteByte('_')
			}
		} else if gap || startsWord(runes, i) {
			name.WriteByte('_')
		}
		gap = false
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

// inWord reports what is kept. A mark belongs to the letter before it.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }

// startsWord reports whether a capital begins a word right behind another one, as in camelCase and in ABCWord.
func startsWord(runes []rune, i int) bool {
	before := runes[i-1]
	switch {
	case !unicode.IsUpper(runes[i]):
		return false
	case unicode.IsLower(before) || unicode.IsMark(before):
		return true
	}
	return i+1 < len(runes) && unicode.IsLower(runes[i+1]) // the last of several capitals
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

// mend makes a free name for the n-th column out of a stem.
func (t nameSet) mend(rule string, n int, stem string) string {
	switch rule {
	case ruleBlank, ruleGenerated:
		return t.unique(numbered(n), "")
	case ruleTooLong:
		hash := sha256.Sum256([]byte(stem)) // tells cells apart that start alike
		return t.unique(stem, "_"+hex.EncodeToString(hash[:4]))
	case ruleReserved:
		if reserved(stem) {
			return t.unique(stem+"_", "")
		}
	}
	return t.unique(stem, "") // the stem itself is taken
}

// unique joins stem and tail, and a number from 2 if that is taken, at the cost of the stem's end where it gets too long.
func (t nameSet) unique(stem, tail string) string {
	suffix := tail
	for n := 2; ; n++ {
		if name := Cut(stem, nameSize-len(suffix)) + suffix; t.add(name) {
			return name
		}
		suffix = tail + "_" + strconv.Itoa(n)
	}
}

// Cut shortens a text to at most size bytes without cutting through a character.
func Cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}
