package nasty

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table is what a loader has made: the names of its columns, and its rows in the order of their numbers.
type Table struct {
	Columns []string
	Rows    []Row
}

// Right is the verdict on a loader that has done what it should.
const Right = "right"

// Judge says in a few words what a loader has made of a file: failed is whether it says so itself.
func (f File) Judge(failed bool, made Table) string {
	whole := len(made.Rows) == len(f.Rows) && f.Rows != nil
	switch {
	case failed && len(made.Rows) == 0 && f.Rows == nil:
		return Right
	case failed && len(made.Rows) == 0:
		return "refused"
	case failed:
		return fmt.Sprintf("fails, and leaves %d rows", len(made.Rows))
	case f.Rows == nil:
		return fmt.Sprintf("**loads %d rows, and says that is all**", len(made.Rows))
	case !whole:
		return fmt.Sprintf("**%d of %d rows**", len(made.Rows), len(f.Rows))
	case f.Columns != nil && !slices.Equal(f.Columns, made.Columns):
		return "**names columns " + shownNames(made.Columns) + "**"
	}
	for i, want := range f.Rows {
		if difference := want.compare(made.Rows[i]); difference != "" {
			return "**" + difference + "**"
		}
	}
	return Right
}

// compare tells the first value that is not as it should be.
func (r Row) compare(made Row) string {
	for i, want := range r {
		switch {
		case i >= len(made) && want == nil: // there is no such column
		case i >= len(made):
			return fmt.Sprintf("row %s lacks %s", *r[0], shown(want))
		case shown(made[i]) != shown(want):
			return fmt.Sprintf("row %s has %s for %s", *r[0], shown(made[i]), shown(want))
		}
	}
	if len(made) > len(r) {
		return fmt.Sprintf("row %s has %s besides", *r[0], shown(made[len(r)]))
	}
	return ""
}

func shown(value *string) string {
	if value == nil {
		return "NULL"
	}
	return "`" + trim(strconv.QuoteToGraphic(*value)) + "`"
}

// trim takes the quotes off.
func trim(quoted string) string { return quoted[1 : len(quoted)-1] }

func shownNames(names []string) string {
	list := make([]string, len(names))
	for i := range names {
		list[i] = shown(&names[i])
	}
	return strings.Join(list, ", ")
}
