package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// targetColumn is a column of the table that a job's rows are to go into.
type targetColumn struct {
	Name      string
	Type      string // as Postgres writes it
	Base      string // the type below domains, without a length: a cast to it cuts nothing
	Under     string // the same with its length
	Collation string // quoted; "" if it is the type's
	Cuts      bool   // whether even that cast would
	Computed  bool   // whether it takes no values
	Required  bool   // whether it must have one, and nothing in the table's definition gives it one
	NotNull   bool   // whether it must have one, and no trigger gives it one
	Most      int    // characters that it holds, where it would cut off spaces behind them; 0 for any number
}

func readColumns(ctx context.Context, tx pgx.Tx, table uint32) ([]targetColumn, error) {
	rows, err := tx.Query(ctx, `
		SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(base.oid, -1),
		       format_type(base.oid, greatest(a.atttypmod, base.length)),
		       CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format('%I.%I', nspname, collname) FROM pg_collation l
		         JOIN pg_namespace n ON n.oid = collnamespace WHERE l.oid = a.attcollation) ELSE '' END,
		       base.oid = ANY (cutting.types) OR base.typelem = ANY (cutting.types) AND base.typlen = -1,
		       a.attgenerated <> '' OR a.attidentity = 'a',
		       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND t.typtype <> 'd',
		       t.typnotnull OR a.attnotnull AND NOT EXISTS (
		         SELECT FROM pg_trigger WHERE tgrelid = a.attrelid AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 7 = 7),
		       CASE WHEN base.oid = 'varchar'::regtype THEN greatest(greatest(a.atttypmod, base.length) - 4, 0) ELSE 0 END
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		CROSS JOIN LATERAL (
		  WITH RECURSIVE d (oid, kind, base, length) AS (SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod UNION ALL
		    SELECT b.oid, b.typtype, b.typbasetype, greatest(d.length, b.typtypmod) FROM d JOIN pg_type b ON b.oid = d.base
		    WHERE d.kind = 'd')
		  SELECT d.oid, length, typelem, typlen FROM d JOIN pg_type ON pg_type.oid = d.oid WHERE kind <> 'd') AS base
		CROSS JOIN (SELECT ARRAY['name', '"char"']::regtype[] AS types) AS cutting
		WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[targetColumn])
}

// column returns the column of the name, or nil.
func (t *target) column(name string) *targetColumn {
	i := slices.IndexFunc(t.columns, func(c targetColumn) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &t.columns[i]
}

// value is the expression that makes a staged text one of the column. What is too long for the column is refused when it is
// assigned, which a cast to the column's own type would cut. Of spaces the assignment would do so, too. What is not the file's
// has its type already, and stays as it is.
func (l *Load) value(c *targetColumn) string {
	name := pgx.Identifier{c.Name}.Sanitize()
	if l.ownType(c.Name) != "" {
		return name
	}
	if c.Most > 0 { // one more character makes it too long in whatever it ends
		return fmt.Sprintf("CASE WHEN char_length(%s) > %d THEN %s || '.' ELSE %s END::%s", name, c.Most, name, name, c.Base)
	}
	return name + "::" + c.Base
}

// checkColumns fails unless each column of the file has one in the table that takes its values, and the table's others can
// do without.
func (l *Load) checkColumns(_ context.Context, _ pgx.Tx, t *target) error {
	var missing, computed, required []string
	staged := l.stagedColumns()
	for _, name := range staged {
		switch c := t.column(name); {
		case c == nil:
			missing = append(missing, name)
		case c.Computed:
			computed = append(computed, name)
		}
	}
	for _, c := range t.columns {
		if c.Required && !slices.Contains(staged, c.Name) {
			required = append(required, c.Name)
		}
	}
	switch {
	case len(missing) > 0:
		return events.Failf(events.CodeColumnsDiffer, "table %s does not have %s%s", t.shown, columnsOf(missing), otherwiseWritten(missing, t))
	case len(computed) > 0:
		return events.Failf(events.CodeColumnsDiffer, "table %s makes the values of %s itself and takes none", t.shown, columnsOf(computed))
	case len(required) > 0:
		return events.Failf(events.CodeColumnsDiffer, "the file does not have %s, which in table %s must not be NULL and has no default",
			columnsOf(required), t.shown)
	}
	return nil
}

// checkKept fails if a column of the table would not hold a value as it stands in the file.
func (l *Load) checkKept(_ context.Context, _ pgx.Tx, t *target) error {
	for _, name := range l.stagedColumns() {
		c, own := t.column(name), l.ownType(name)
		switch {
		case c == nil:
		case c.Cuts:
			return events.Failf(events.CodeColumnsDiffer, "column %s of table %s has the type %s, which cuts values", name, t.shown, c.Type)
		case own != "" && c.Type != own:
			return events.Failf(events.CodeColumnsDiffer, "column %s of table %s has the type %s instead of %s", name, t.shown, c.Type, own)
		}
	}
	return nil
}

func columnsOf(names []string) string {
	if len(names) == 1 {
		return "column " + names[0]
	}
	return "the columns " + listed(names)
}

// otherwiseWritten points at columns of the table that differ from missing ones in case only.
func otherwiseWritten(missing []string, t *target) string {
	for _, name := range missing {
		for _, c := range t.columns {
			if strings.EqualFold(c.Name, name) {
				return fmt.Sprintf("; it has %s, and upper and lower case matter", c.Name)
			}
		}
	}
	return ""
}

// asPublished are the columns with the types that they have in the table.
func asPublished(columns []events.Column, t *target) []events.Column {
	list := slices.Clone(columns)
	for i := range list {
		if c := t.column(list[i].Name); c != nil {
			list[i].Type = c.Type
		}
	}
	return list
}
