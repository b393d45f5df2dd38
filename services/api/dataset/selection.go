package dataset

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// selection is which rows are read, and in which order.
type selection struct {
	where
	table    *table
	filtered bool
	resumed  bool
}

// place is that of a row in a table's order: what a cursor says.
type place struct {
	Table uint32   `json:"o"`
	File  uint32   `json:"f,omitempty"` // if it is by where the row lies
	Index uint32   `json:"x,omitempty"` // if it is by a key
	Key   []string `json:"k"`           // the key's values, or where the row lies
}

// selection selects rows by filters, from behind a cursor on.
func (t *table) selection(filters []string, cursor string) (*selection, error) {
	s := &selection{table: t, filtered: len(filters) > 0, resumed: cursor != ""}
	if err := s.filter(t, filters); err != nil {
		return nil, err
	}
	after := place{Key: []string{"(0,0)"}} // no row lies there
	if cursor != "" {
		if err := decodeCursor(cursor, &after); err != nil {
			return nil, err
		}
		if err := t.check(after); err != nil {
			return nil, err
		}
	}
	switch {
	case t.key == nil:
		s.terms = append(s.terms, "t.ctid > "+s.parameter(after.Key[0])+"::tid")
	case cursor != "":
		values := make([]string, len(after.Key))
		for i, value := range after.Key {
			values[i] = s.parameter(value) + "::text::" + t.column(t.key.columns[i]).cast
		}
		s.terms = append(s.terms, "("+strings.Join(s.places(), ", ")+") > ("+strings.Join(values, ", ")+")")
	}
	return s, nil
}

// check fails unless a cursor follows a page of this table as it is.
func (t *table) check(p place) error {
	same := p.Table == t.oid
	if t.key == nil {
		same = same && p.File == t.file && p.Index == 0
	} else {
		same = same && p.Index == t.key.index && p.File == 0
	}
	switch {
	case p.Table == 0 || (p.File == 0) == (p.Index == 0) || !storable(p.Key...):
		return badParameter("cursor", notACursor)
	case !same:
		return ErrCursorExpired
	case t.key != nil && len(p.Key) == len(t.key.columns):
		return nil
	case t.key == nil && len(p.Key) == 1:
		if _, err := parseTID(p.Key[0]); err == nil {
			return nil
		}
	}
	return badParameter("cursor", notACursor)
}

// places are what tells where a row is.
func (s *selection) places() []string {
	if s.table.key == nil {
		return []string{"t.ctid"}
	}
	list := make([]string, len(s.table.key.columns))
	for i, name := range s.table.key.columns {
		list[i] = quoted(name)
	}
	return list
}

// object makes a row's columns an object of JSON. Postgres writes numbers with all their digits.
func (s *selection) object(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quoted(c.name)
	}
	alias := s.table.alias()
	return "(SELECT row_to_json(" + alias + ") FROM (SELECT " + strings.Join(names, ", ") + ") AS " + alias + ")"
}

// statement reads expressions of the rows; with limit 0 of all that there are.
func (s *selection) statement(expressions []string, limit int64) string {
	sql := "SELECT " + strings.Join(expressions, ", ") + " FROM ONLY " + s.table.name + " AS t" + s.String()
	if s.table.key != nil {
		sql += " ORDER BY " + strings.Join(s.places(), ", ")
	}
	if limit > 0 {
		sql += fmt.Sprintf(" LIMIT %d", limit)
	}
	return sql
}

// set leaves the planner, for the rest of the transaction, the plans that give rows in the selection's order. Without a key that is
// a scan of where they lie, as that is no order for which Postgres could choose among others. With one, a page is to come from its
// index, unless a filter may have a better one.
func (s *selection) set(ctx context.Context, tx pgx.Tx, page bool) error {
	var settings string
	switch {
	case s.table.key == nil:
		settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; " +
			"SET LOCAL enable_bitmapscan = off; SET LOCAL enable_tidscan = on"
	case page && !s.filtered:
		settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
	default:
		return nil
	}
	if _, err := tx.Exec(ctx, settings, pgx.QueryExecModeSimpleProtocol); err != nil {
		return failure(ctx, err)
	}
	return nil
}

// placeOf returns where a row is. It must lie behind the row before.
func (s *selection) placeOf(values [][]byte, before place) (place, error) {
	p := place{Table: s.table.oid, Key: make([]string, len(values))}
	for i, v := range values {
		p.Key[i] = string(v)
	}
	if s.table.key != nil {
		p.Index = s.table.key.index
		return p, nil
	}
	p.File = s.table.file
	at, err := parseTID(p.Key[0])
	if err != nil {
		return p, err
	}
	if before.Table == 0 {
		return p, nil
	}
	if last, err := parseTID(before.Key[0]); err != nil || at <= last {
		return p, errors.New("rows do not come in the order in which they lie")
	}
	return p, nil
}

// parseTID reads where a row lies, (block,number), as a number that grows with it.
func parseTID(text string) (uint64, error) {
	var block uint32
	var number uint16
	if n, err := fmt.Sscanf(text, "(%d,%d)", &block, &number); err != nil || n != 2 || text != fmt.Sprintf("(%d,%d)", block, number) {
		return 0, fmt.Errorf("%q is no place of a row", text)
	}
	return uint64(block)<<16 | uint64(number), nil
}
