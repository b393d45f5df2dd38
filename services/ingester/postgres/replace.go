package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/pkg/events"
)

// replace puts the staging table in the place of the one that was found. What takes long is done before that is locked: until
// then it is read and written as ever.
func (l *Load) replace(ctx context.Context, tx pgx.Tx, found *target, name string) error {
	heritage, err := l.readHeritage(ctx, tx, found, name)
	if err != nil {
		return err
	}
	if err := l.takeRights(ctx, tx); err != nil {
		return err
	}
	if err := l.bequeath(ctx, tx, found, heritage, false); err != nil {
		return err
	}
	held, err := l.hold(ctx, tx, found, "ACCESS EXCLUSIVE", name)
	if err != nil {
		return err
	}
	now, err := l.readHeritage(ctx, tx, held, name)
	if err != nil {
		return err
	}
	if !slices.Equal(now, heritage) {
		return l.busy(name, "it was changed at this moment")
	}
	if err := l.dropReplaced(ctx, tx, held); err != nil {
		return err
	}
	if err := l.renameFirst(ctx, tx, name); err != nil {
		return err
	}
	return l.bequeath(ctx, tx, found, heritage, true)
}

func (l *Load) dropReplaced(ctx context.Context, tx pgx.Tx, held *target) error {
	_, err := tx.Exec(ctx, "DROP TABLE "+held.name)
	switch {
	case err == nil:
		return nil
	case hasState(err, stateDependentsExist):
		return dependentsExist(held, []string{"what Postgres does not name to this role"}).CausedBy(err)
	case hasState(err, stateInternalError): // a right to it was granted at this moment, for which the lock is no obstacle
		return events.Failf(events.CodeDatabaseUnavailable, "table %s was changed at this moment", held.shown).CausedBy(err)
	}
	return fmt.Errorf("replacing %s: %w", held.name, failure(err))
}

// bequest is a statement that gives the staging table something that the table has which it is to replace.
type bequest struct {
	Late  bool   // whether it is for when the other table is gone
	About string // "" unless the file's rows may be unfit for it
	SQL   string
}

// readHeritage returns what the table has that outlives it.
func (l *Load) readHeritage(ctx context.Context, tx pgx.Tx, t *target, name string) ([]bequest, error) {
	rows, err := tx.Query(ctx, heritageQuery, t.oid, l.staging(), l.stagedColumns(), pgx.Identifier{l.Spec.Schema, name}.Sanitize(),
		l.stagingName()+"_", pgx.Identifier{l.Spec.Schema}.Sanitize())
	if err != nil {
		return nil, fmt.Errorf("reading what %s has: %w", t.name, failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[bequest])
	if err != nil {
		return nil, fmt.Errorf("reading what %s has: %w", t.name, failure(err))
	}
	return append(l.retyping(t), list...), nil
}

// retyping gives the staged columns the types of the table's, all of them in one pass over the rows.
func (l *Load) retyping(t *target) []bequest {
	var changes []string
	for _, c := range l.columns {
		was := t.column(c.Name)
		if was == nil || was.Type == c.Type && was.Collation == "" {
			continue
		}
		change := "ALTER COLUMN " + pgx.Identifier{c.Name}.Sanitize() + " TYPE " + was.Type
		if was.Collation != "" {
			change += " COLLATE " + was.Collation
		}
		changes = append(changes, change+" USING "+l.value(was))
	}
	if len(changes) == 0 {
		return nil
	}
	return []bequest{{About: "the types of its columns", SQL: "ALTER TABLE " + l.staging() + " " + strings.Join(changes, ", ")}}
}

// takeRights leaves the rights to the staging table to the table's heritage: it has got those of the schema's defaults.
func (l *Load) takeRights(ctx context.Context, tx pgx.Tx) error {
	var sql *string
	err := tx.QueryRow(ctx, `
		SELECT 'REVOKE ALL ON ' || $1 || ' FROM ' || string_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE
		       quote_ident(pg_get_userbyid(grantee)) END, ', ')
		FROM pg_class CROSS JOIN LATERAL aclexplode(coalesce(relacl, acldefault('r', relowner)))
		WHERE pg_class.oid = $1::text::regclass`, l.staging()).Scan(&sql)
	if err == nil && sql != nil {
		_, err = tx.Exec(ctx, *sql)
	}
	if err != nil {
		return fmt.Errorf("taking the rights to the staging table: %w", failure(err))
	}
	return nil
}

func (l *Load) bequeath(ctx context.Context, tx pgx.Tx, t *target, heritage []bequest, late bool) error {
	for _, b := range heritage {
		if b.Late != late {
			continue
		}
		if _, err := tx.Exec(ctx, b.SQL); err != nil {
			return fmt.Errorf("replacing %s: %w", t.name, unfit(err, b, t))
		}
	}
	return nil
}

// unfit tells what the rows are unfit for, in the words of the table that they were to replace.
func unfit(err error, b bequest, t *target) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok || b.About == "":
		return failure(err)
	case pg.Code == stateNotNullViolation:
		return events.Failf(events.CodeValueInvalid, "column %s of table %s must not be NULL, and the file has rows without a value in it",
			pg.ColumnName, t.shown).CausedBy(err)
	case pg.Code == stateUniqueViolation:
		return events.Failf(events.CodeValueInvalid, "the file's rows are not as unique as %s of table %s says: %s",
			b.About, t.shown, pg.Detail).CausedBy(err)
	}
	return valueFailure(err)
}
