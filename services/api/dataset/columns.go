package dataset

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// choose returns the columns that a line of CSV names, in its order, or all of them if it names none.
func (t *table) choose(line string) ([]column, error) {
	if line == "" {
		return t.columns, nil
	}
	reader := csv.NewReader(strings.NewReader(line))
	names, err := reader.Read()
	if err != nil {
		return nil, badParameter("columns", "is not a line of CSV; a name with a comma or a quote is enclosed in quotes, and its own are doubled")
	}
	if _, err := reader.Read(); !errors.Is(err, io.EOF) {
		return nil, badParameter("columns", "has more than one line")
	}
	chosen := make([]column, len(names))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		c := t.column(name)
		switch {
		case c == nil:
			return nil, badParameter("columns", "names %q, which is no column of the table", name)
		case seen[name]:
			return nil, badParameter("columns", "names %q twice", name)
		}
		chosen[i], seen[name] = *c, true
	}
	return chosen, nil
}
