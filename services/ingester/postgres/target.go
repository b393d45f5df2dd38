package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// target is the plain table that a job's rows are to go into.
type target struct {
	oid     uint32
	name    string // quoted, with its schema
	shown   string // the same for messages
	columns []targetColumn
}

// checkTarget fails if the job's rows cannot be published, as far as that is known before all of them are read, so that
// nobody waits for a refusal. It locks nothing.
func (l *Load) checkTarget(ctx context.Context, tx pgx.Tx) error {
	if l.Spec.Table == "" {
		return nil // any free name will do
	}
	_, err := l.findTarget(ctx, tx, l.Spec.Table, append(l.stagedColumns(), extraColumn))
	return err
}

// findTarget returns the table of the name once it is found to be one that the job's mode can publish into, or nil if there
// is nothing of that name. A replacement will have no other columns than those of possible.
func (l *Load) findTarget(ctx context.Context, tx pgx.Tx, name string, possible []string) (*target, error) {
	kind, found, err := l.lookUp(ctx, tx, name)
	if err != nil {
		return nil, fmt.Errorf("looking for table %s: %w", name, failure(err))
	}
	switch {
	case kind == "":
		return nil, l.checkNewKey()
	case l.Spec.Mode == events.Create || l.Spec.Mode == "":
		return nil, l.tableExists(name)
	case kind != kindTable:
		return nil, events.Failf(events.CodeNotATable, "%s.%s is not a plain table but %s; name another one", l.Spec.Schema, name, kind)
	}
	if found.columns, err = readColumns(ctx, tx, found.oid); err != nil {
		return nil, fmt.Errorf("reading the columns of %s: %w", found.name, failure(err))
	}
	checks := map[events.Mode][]func(context.Context, pgx.Tx, *target) error{
		events.Replace: {l.checkKept, l.checkReplaceable(possible), l.checkStated},
		events.Append:  {l.checkWritable, l.checkColumns, l.checkKept, l.checkStated},
		events.Upsert:  {l.checkWritable, l.checkColumns, l.checkKept, l.checkStated, l.checkKey},
	}
	for _, check := range checks[l.Spec.Mode] {
		if err := check(ctx, tx, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

const kindTable = "a table"

// lookUp tells what has the name, or would clash with a table of that name; "" if nothing does.
func (l *Load) lookUp(ctx context.Context, tx pgx.Tx, name string) (kind string, found *target, err error) {
	found = &target{name: pgx.Identifier{l.Spec.Schema, name}.Sanitize(), shown: l.Spec.Schema + "." + name}
	err = tx.QueryRow(ctx, `
		SELECT kind, oid FROM (
		  SELECT CASE relkind WHEN 'r' THEN 'a table' WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
		         WHEN 'f' THEN 'a foreign table' WHEN 'p' THEN 'a partitioned table' WHEN 'S' THEN 'a sequence' WHEN 'c' THEN 'a type'
		         ELSE 'an index' END AS kind, oid, 1 AS rank
		  FROM pg_class WHERE relname = $2 AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		  UNION ALL
		  SELECT 'a type', oid, 2 FROM pg_type t WHERE typname = $2 AND typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		  AND NOT EXISTS (SELECT FROM pg_type WHERE typarray = t.oid) -- those give way
		) AS named ORDER BY rank LIMIT 1`, l.Spec.Schema, name).Scan(&kind, &found.oid)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil, nil
	}
	return kind, found, err
}

// describe is lookUp, with the columns of a table.
func (l *Load) describe(ctx context.Context, tx pgx.Tx, name string) (kind string, found *target, err error) {
	kind, found, err = l.lookUp(ctx, tx, name)
	if err == nil && kind == kindTable {
		found.columns, err = readColumns(ctx, tx, found.oid)
	}
	return kind, found, err
}

// hold locks the table that was found, and returns it as it is then: it can change no more until the transaction ends.
func (l *Load) hold(ctx context.Context, tx pgx.Tx, found *target, mode, name string) (*target, error) {
	_, err := tx.Exec(ctx, "LOCK TABLE ONLY "+found.name+" IN "+mode+" MODE")
	if hasState(err, stateUndefinedTable) {
		return nil, l.busy(name, "it was dropped at this moment")
	}
	if err != nil {
		return nil, fmt.Errorf("locking table %s: %w", found.name, failure(err))
	}
	held, err := l.findTarget(ctx, tx, name, l.stagedColumns())
	if err == nil && (held == nil || held.oid != found.oid) {
		err = l.busy(name, "it was exchanged at this moment")
	}
	return held, err
}

// busy says that another try will do.
func (l *Load) busy(name, why string) *events.Failure {
	return busy(l.Spec.Schema, name, why)
}

func (l *Load) tableExists(name string) *events.Failure {
	return events.Failf(events.CodeTableExists, "table %s.%s exists already; "+
		"load into it with mode replace or append, name another one, or drop it", l.Spec.Schema, name)
}

// stagedColumns are the names of the columns in the staging table, once the rows are published.
func (l *Load) stagedColumns() []string {
	names := l.fileColumns()
	if l.Spec.Lineage {
		names = append(names, LineageColumns()...)
	}
	return names
}

// fileColumns are the names of those columns that hold values of the file.
func (l *Load) fileColumns() []string {
	names := make([]string, len(l.columns), len(l.columns)+1)
	for i, c := range l.columns {
		names[i] = c.Name
	}
	if l.extra {
		names = append(names, extraColumn)
	}
	return names
}

// listed is a list for a message, cut where it is long.
func listed(names []string) string {
	const most = 10
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// quoted are names as they stand in a statement.
func quoted(names []string) []string {
	list := slices.Clone(names)
	for i, name := range list {
		list[i] = pgx.Identifier{name}.Sanitize()
	}
	return list
}
