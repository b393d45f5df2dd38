package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
)

// isStated reports whether the job states a type for a column.
func (l *Load) isStated(column string) bool {
	_, stated := l.Spec.Types.Stated[column]
	return stated
}

// stateTypes gives the columns the types that are stated for them, by the names that the database has for those. It fails
// where the file has no such column, or the database no such type.
func (l *Load) stateTypes(ctx context.Context, tx pgx.Tx) error {
	file := l.fileColumns()
	for _, name := range slices.Sorted(maps.Keys(l.Spec.Types.Stated)) {
		at := slices.Index(file, name)
		if at < 0 {
			return events.Failf(events.CodeColumnsDiffer, "a type is stated for column %s, which the file does not have; it has %s",
				name, listed(file))
		}
		stated, err := columntype.Parse(l.Spec.Types.Stated[name])
		if err != nil { // a newer API may know more
			return events.Failf(events.CodeTypeUnknown, "the type stated for column %s is not understood: %v", name, err)
		}
		// What is read as the name of a type can be nothing else in a statement.
		if err := savepoint(ctx, tx, "SELECT "+literal(stated.Name())+"::regtype"); err != nil {
			return typeUnknown(err, "column "+name)
		}
		l.columns[at].Type = stated.Name()
	}
	return nil
}

// readStated takes over how the database writes the types of the staging table.
func (l *Load) readStated(ctx context.Context, tx pgx.Tx) error {
	if len(l.Spec.Types.Stated) == 0 {
		return nil
	}
	_, made, err := l.describe(ctx, tx, l.stagingName())
	if err != nil {
		return err
	}
	l.columns = asPublished(l.columns, made)
	for name := range l.Spec.Types.Stated {
		if c := made.column(name); c.Cuts {
			return events.Failf(events.CodeTypeUnknown, "column %s: the type %s cuts values; state text", name, c.Type)
		}
	}
	return nil
}

// typeUnknown judges the error of a statement that names a stated type.
func typeUnknown(err error, where string) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !slices.Contains([]string{"22", "42", "0A", "3F"}, pg.Code[:2]) || pg.Code == stateInsufficientRights {
		return failure(err)
	}
	return events.Failf(events.CodeTypeUnknown, "%s: %s; state a type that the database has, with its schema where that is not searched",
		where, pg.Message).CausedBy(err)
}

// checkStated fails unless stated types are those of the table.
func (l *Load) checkStated(_ context.Context, _ pgx.Tx, t *target) error {
	for _, column := range l.columns {
		if c := t.column(column.Name); c != nil && l.isStated(column.Name) && c.Type != column.Type {
			return events.Failf(events.CodeTypeMismatch, "column %s of table %s has the type %s, and %s is stated; state the type that it has, "+
				"or change the column", column.Name, t.shown, c.Type, column.Type)
		}
	}
	return nil
}

// ColumnType is what is known of the values that a column takes.
type ColumnType struct {
	Type    *columntype.Type // nil if it takes any
	SQL     string           // as the database writes it
	NotNull bool
}

// Types tells for each column which values it takes: by the type that is stated for it, or the one that it has in the table
// which the rows are to go into, if that is known yet. It is nil if there is nothing to tell.
func (l *Load) Types(ctx context.Context) ([]ColumnType, error) {
	var into *target
	if l.Spec.Table != "" && l.Spec.Mode != events.Create && l.Spec.Mode != "" {
		kind, found, err := l.lookUpTable(ctx, l.Spec.Table)
		if err != nil {
			return nil, err
		}
		if kind == kindTable {
			into = found
		}
	}
	var staged *target
	if len(l.Spec.Types.Stated) > 0 {
		var err error
		if _, staged, err = l.lookUpTable(ctx, l.stagingName()); err != nil {
			return nil, err
		}
		if staged == nil { // a server that crashed has lost it
			return nil, fmt.Errorf("looking for the staging table of job %s: %w", l.JobID, ErrFenceLost)
		}
	}
	if into == nil && staged == nil {
		return nil, nil
	}
	list := make([]ColumnType, len(l.columns))
	for i, column := range l.columns {
		if into != nil {
			if c := into.column(column.Name); c != nil {
				list[i] = ColumnType{Type: columntype.Existing(c.Type, c.Under), SQL: c.Type, NotNull: c.NotNull}
			}
		}
		stated, ok := l.Spec.Types.Stated[column.Name]
		if !ok {
			continue
		}
		t, err := columntype.Parse(stated)
		c := staged.column(column.Name)
		if err != nil || c == nil {
			return nil, fmt.Errorf("looking for the type of column %s: %w", column.Name, cmp.Or(err, ErrFenceLost)) // it was dropped
		}
		t.Resolve(c.Type, c.Under)
		list[i].Type, list[i].SQL, list[i].NotNull = t, c.Type, list[i].NotNull || c.NotNull
	}
	return list, nil
}

func (l *Load) lookUpTable(ctx context.Context, name string) (kind string, found *target, err error) {
	tx, err := l.begin(ctx)
	if err != nil {
		return "", nil, err
	}
	defer rollback(ctx, tx)
	if kind, found, err = l.describe(ctx, tx, name); err != nil {
		return "", nil, fmt.Errorf("looking at table %s: %w", name, failure(err))
	}
	return kind, found, nil
}

// Unfit asks which of some values a type does not take, or, with first, whether there are any; the type is written as
// [ColumnType] has it.
func (db *Database) Unfit(ctx context.Context, sql string, values []string, first bool) ([]columntype.Refusal, error) {
	most := len(values)
	if first {
		most = 1
	}
	rows, err := db.asking.Query(ctx, "SELECT place, reason FROM sluice.unfit($1, $2, $3) ORDER BY place", sql, values, most)
	if err == nil {
		var list []columntype.Refusal
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[columntype.Refusal]); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("asking which values are no %s: %w", sql, failure(err))
}
