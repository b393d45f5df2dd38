package dataset

import (
	"strconv"
	"strings"
)

// maxFilters bounds how many filters a question has.
const maxFilters = 20

// operators are those of filters, as Postgres writes them.
var operators = map[string]string{"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

// where is a condition of a statement, with its parameters.
type where struct {
	terms []string
	args  []any
}

// parameter adds a value, and returns what stands for it.
func (w *where) parameter(value string) string {
	w.args = append(w.args, value)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// filter adds the conditions of filters, each column:operator:value.
func (w *where) filter(t *table, filters []string) error {
	if len(filters) > maxFilters {
		return badParameter("filter", "is there more than %d times", maxFilters)
	}
	for _, text := range filters {
		c, operator, value, err := t.split(text)
		if err != nil {
			return err
		}
		if !storable(value) {
			return badParameter("filter", "has a value that no column can have")
		}
		if operator != "is" {
			w.terms = append(w.terms, quoted(c.name)+" OPERATOR("+c.schema+"."+operators[operator]+") "+w.parameter(value)+"::text::"+c.cast)
			continue
		}
		switch value {
		case "null":
			w.terms = append(w.terms, quoted(c.name)+" IS NULL")
		case "not_null":
			w.terms = append(w.terms, quoted(c.name)+" IS NOT NULL")
		default:
			return badParameter("filter", "must be null or not_null behind is")
		}
	}
	return nil
}

// split finds the operator of a filter: the first behind what is a column's name, as names may have colons, too.
func (t *table) split(filter string) (c *column, operator, value string, err error) {
	for i := range len(filter) {
		if filter[i] != ':' {
			continue
		}
		operator, value, ok := strings.Cut(filter[i+1:], ":")
		if !ok {
			break
		}
		if _, known := operators[operator]; !known && operator != "is" {
			continue
		}
		if c := t.column(filter[:i]); c != nil {
			return c, operator, value, nil
		}
	}
	return nil, "", "", badParameter("filter", "must be column:operator:value, of a column of the table and eq, ne, lt, lte, gt, gte or is")
}
