// Package typed makes rows fit the types of their columns before they are sent, and tells which rows do not.
package typed

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// Column is what is known of a column's values.
type Column struct {
	Name    string
	Type    *columntype.Type // nil if it takes any
	SQL     string           // the type as the database writes it
	NotNull bool
}

// Ask asks the database which values a type does not take. It may end with the first one, if that is enough.
type Ask func(ctx context.Context, sql string, values []string, first bool) ([]columntype.Refusal, error)

// Checker looks at the values of rows in blocks. It is for one goroutine.
type Checker struct {
	columns []Column
	last    int // behind the last column that is looked at
	ask     Ask
	first   bool // see [Config]
	writer  writer

	block  []byte // that is looked at
	spare  []byte // memory for what is written anew; nil if there is none yet
	ends   []int  // of its rows, behind their line ends
	edits  []edit
	arena  []byte // what is written instead
	asked  map[string]*questions
	bad    map[int]fault // by the place of the row
	fields []field
	plain  []byte // a value without its escapes
}

// edit is a part of the block that is written otherwise.
type edit struct {
	from, to int // in the block
	text     int // where it ends in the arena; it begins where the one before ends
}

// fault is what is wrong with a row.
type fault struct {
	column int // from 0
	value  string
	null   bool
	reason string
}

// questions are values that the database has to be asked about.
type questions struct {
	values []string
	from   []place
}

type place struct{ row, column int }

// field is a value of a row in the block.
type field struct {
	from, to int
	escaped  bool
}

// Config says what a checker is to do.
type Config struct {
	Columns          []Column
	Delimiter, Quote string // with which rows are shown that are rejected; the quote may be ""
	Ask              Ask
	First            bool // whether only the first row that does not fit matters
}

// New returns a checker, or nil if there is nothing to look at.
func New(config Config) *Checker {
	columns := config.Columns
	c := &Checker{
		columns: columns, ask: config.Ask, first: config.First, writer: writer{config.Delimiter, config.Quote},
		asked: map[string]*questions{}, bad: map[int]fault{},
	}
	for i, column := range columns {
		if column.NotNull || column.Type != nil && !column.Type.AlwaysFits() {
			c.last = i + 1
		}
	}
	if c.last == 0 {
		return nil
	}
	return c
}

// Check takes out of rows, whose places are told, those that do not fit, and returns them as rejects; values that the file
// writes in another way than Postgres does are written anew. The memory of the rows is then exchanged for other. It fails where
// the database cannot be asked.
func (c *Checker) Check(ctx context.Context, rows *csv.Rows) ([]Reject, error) {
	c.reset(rows.Data)
	for at, row := 0, 0; at < len(c.block); row++ {
		end := at + bytes.IndexByte(c.block[at:], '\n')
		c.ends = append(c.ends, end+1)
		c.look(row, at, end, rows)
		at = end + 1
		if c.first && len(c.bad) > 0 { // those before it may have to be asked about
			break
		}
	}
	if err := c.askAll(ctx); err != nil {
		return nil, err
	}
	if len(c.edits) == 0 && len(c.bad) == 0 {
		return nil, nil
	}
	var rejects []Reject
	for _, row := range slices.Sorted(maps.Keys(c.bad)) {
		failure := c.failure(c.bad[row], rows.Places[row])
		rejects = append(rejects, Reject{c.reject(row, failure, rows), failure})
	}
	c.rewrite(rows)
	return rejects, nil
}

// Reject is a row that does not fit.
type Reject struct {
	csv.Reject
	Failure *events.Failure // what it is to a job that takes no such row
}

func (c *Checker) reset(block []byte) {
	c.block, c.ends, c.edits, c.arena = block, c.ends[:0], c.edits[:0], c.arena[:0]
	clear(c.bad)
	for _, q := range c.asked {
		q.values, q.from = q.values[:0], q.from[:0]
	}
}

// look looks at the values of the row from one place in the block up to its line end.
func (c *Checker) look(row, from, end int, rows *csv.Rows) {
	c.split(from, end, rows.Delimiter)
	for i := range c.fields {
		column, f := &c.columns[i], c.fields[i]
		if column.Type == nil && !column.NotNull {
			continue
		}
		raw := c.block[f.from:f.to]
		if string(raw) == rows.Null {
			if column.NotNull {
				c.blame(row, fault{column: i, null: true})
			}
			continue
		}
		if column.Type == nil {
			continue
		}
		value := raw
		if f.escaped {
			value = c.unescape(raw)
		}
		as, fit, why := column.Type.Fit(value)
		switch fit {
		case columntype.Null:
			if column.NotNull {
				c.blame(row, fault{column: i, value: string(value), null: true})
			}
			c.arena = append(c.arena, rows.Null...)
			c.edit(f)
			continue
		case columntype.Unfit:
			c.blame(row, fault{column: i, value: string(value), reason: why})
			continue
		case columntype.Unsure:
			c.wonder(place{row, i}, string(as))
		case columntype.Fits:
		}
		if len(as) != len(value) || len(as) > 0 && &as[0] != &value[0] {
			c.arena = csv.AppendEscaped(c.arena, as, rows.Delimiter)
			c.edit(f)
		}
	}
}

// split finds the values of a row, up to the last one that is looked at.
func (c *Checker) split(from, end int, delimiter byte) {
	c.fields = c.fields[:0]
	escapes := bytes.IndexByte(c.block[from:end], '\\') >= 0
	for at := from; len(c.fields) < c.last; {
		f := field{from: at}
		if !escapes {
			if n := bytes.IndexByte(c.block[at:end], delimiter); n >= 0 {
				at += n
			} else {
				at = end
			}
		}
		for escapes && at < end && c.block[at] != delimiter {
			if c.block[at] == '\\' {
				f.escaped = true
				at++
			}
			at++
		}
		f.to = at
		c.fields = append(c.fields, f)
		if at >= end {
			return
		}
		at++
	}
}

// unescape returns a value without its escapes, until the next one is asked for.
func (c *Checker) unescape(value []byte) []byte {
	c.plain = c.plain[:0]
	for i := 0; i < len(value); i++ {
		b := value[i]
		if b == '\\' && i+1 < len(value) {
			i++
			switch b = value[i]; b {
			case 'n':
				b = '\n'
			case 'r':
				b = '\r'
			}
		}
		c.plain = append(c.plain, b)
	}
	return c.plain
}

// edit has what was added to the arena written instead of a value.
func (c *Checker) edit(f field) {
	c.edits = append(c.edits, edit{from: f.from, to: f.to, text: len(c.arena)})
}

// blame says that a row does not fit. Of several reasons, the first column's counts.
func (c *Checker) blame(row int, f fault) {
	if was, known := c.bad[row]; !known || f.column < was.column {
		c.bad[row] = f
	}
}

func (c *Checker) wonder(at place, value string) {
	sql := c.columns[at.column].SQL
	q := c.asked[sql]
	if q == nil {
		q = &questions{}
		c.asked[sql] = q
	}
	q.values, q.from = append(q.values, value), append(q.from, at)
}

// askAll asks the database about what it alone knows.
func (c *Checker) askAll(ctx context.Context) error {
	for sql, q := range c.asked {
		if len(q.values) == 0 {
			continue
		}
		list, err := c.ask(ctx, sql, q.values, c.first)
		if err != nil {
			return err
		}
		for _, u := range list {
			at := q.from[u.Place]
			c.blame(at.row, fault{column: at.column, value: q.values[u.Place], reason: u.Reason})
		}
	}
	return nil
}

// rewrite writes the rows that fit, as they are to be.
func (c *Checker) rewrite(rows *csv.Rows) {
	out := c.spare
	if out == nil {
		out = make([]byte, 0, cap(c.block))
	}
	copied, text, edits := 0, 0, c.edits
	writeUpTo := func(end int) {
		for len(edits) > 0 && edits[0].from < end {
			out = append(append(out, c.block[copied:edits[0].from]...), c.arena[text:edits[0].text]...)
			copied, text, edits = edits[0].to, edits[0].text, edits[1:]
		}
		out = append(out, c.block[copied:end]...)
		copied = end
	}
	for _, row := range slices.Sorted(maps.Keys(c.bad)) {
		writeUpTo(c.start(row))
		for copied = c.ends[row]; len(edits) > 0 && edits[0].from < copied; edits = edits[1:] {
			text = edits[0].text
		}
	}
	writeUpTo(len(c.block))
	rows.Data, c.spare = out, c.block[:0]
	row := -1
	rows.Places = slices.DeleteFunc(rows.Places, func(csv.Place) bool {
		row++
		_, bad := c.bad[row]
		return bad
	})
	rows.Count -= int64(len(c.bad))
}

// start is where a row begins in the block.
func (c *Checker) start(row int) int {
	if row == 0 {
		return 0
	}
	return c.ends[row-1]
}
