package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// maxDerivedNames bounds the search for a free derived name.
const maxDerivedNames = 100

// rename gives the staging table the dataset's name, or the next free one if the name may vary.
func (l *Load) rename(ctx context.Context, tx pgx.Tx, p *Publication) error {
	wanted := p.Table
	for n := 1; n <= maxDerivedNames; n++ {
		if n > 1 {
			p.Table = withSuffix(wanted, "_"+strconv.Itoa(n))
		}
		err := savepoint(ctx, tx, "ALTER TABLE "+l.staging()+" RENAME TO "+pgx.Identifier{p.Table}.Sanitize())
		if err == nil {
			return nil
		}
		if !isNameTaken(err) {
			return fmt.Errorf("publishing %s: %w", p.Table, failure(err))
		}
		if !p.Derived {
			break
		}
	}
	return l.tableExists(wanted)
}

// renameFirst gives the staging table the name of a table that is not there yet. Whoever made one since has made the table
// that the next try goes into.
func (l *Load) renameFirst(ctx context.Context, tx pgx.Tx, name string) error {
	err := savepoint(ctx, tx, "ALTER TABLE "+l.staging()+" RENAME TO "+pgx.Identifier{name}.Sanitize())
	if isNameTaken(err) {
		return l.busy(name, "it was created at this moment")
	}
	if err != nil {
		return fmt.Errorf("publishing %s: %w", name, failure(err))
	}
	return nil
}

// renameKeyed is renameFirst for a table that is to tell its rows apart by the job's key.
func (l *Load) renameKeyed(ctx context.Context, tx pgx.Tx, name string) error {
	if err := l.checkKeyValues(ctx, tx); err != nil {
		return err
	}
	if err := l.renameFirst(ctx, tx, name); err != nil {
		return err
	}
	table := pgx.Identifier{l.Spec.Schema, name}.Sanitize()
	err := savepoint(ctx, tx, "ALTER TABLE "+table+" ADD PRIMARY KEY ("+strings.Join(quoted(l.Spec.Key), ", ")+")")
	if hasState(err, stateUniqueViolation) {
		return l.keyTwice(ctx, tx, table, nil)
	}
	if err != nil {
		return fmt.Errorf("giving %s its key: %w", table, failure(err))
	}
	return nil
}

// savepoint runs a statement whose failure the transaction survives.
func savepoint(ctx context.Context, tx pgx.Tx, sql string) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(ctx, inner)
	if _, err := inner.Exec(ctx, sql); err != nil {
		return err
	}
	return inner.Commit(ctx)
}
