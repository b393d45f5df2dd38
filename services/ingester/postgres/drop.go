package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/pkg/events"
)

// Drop drops a dataset's table, if Sluice has made it, in turn with the jobs that publish into it. What the ledger has of those
// jobs stays. It fails with an [events.Failure]: of code dataset_not_found or dataset_not_owned, dependents_exist where
// something would break without the table, and table_busy if another try may do.
func (db *Database) Drop(ctx context.Context, schema, table string) error {
	if !nameable(schema) || !nameable(table) {
		return datasetNotFound(schema, table)
	}
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("starting a transaction: %w", failure(err))
	}
	defer rollback(ctx, tx)
	err = orBusy(ctx, db, tx, schema, table, func() error { return dropInTurn(ctx, tx, schema, table) })
	if err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("dropping %s.%s: %w", schema, table, commitFailure(err))
	}
	return nil
}

// nameable reports whether something in Postgres can be called so.
func nameable(name string) bool {
	return name != "" && len(name) <= MaxNameBytes && !strings.Contains(name, "\x00")
}

func dropInTurn(ctx context.Context, tx pgx.Tx, schema, table string) error {
	if err := limitWaits(ctx, tx); err != nil {
		return err
	}
	if err := takeTurn(ctx, tx, schema, table); err != nil {
		return err
	}
	if err := checkOwn(ctx, tx, schema, table); err != nil {
		return err
	}
	name := pgx.Identifier{schema, table}.Sanitize()
	if _, err := tx.Exec(ctx, "LOCK TABLE ONLY "+name+" IN ACCESS EXCLUSIVE MODE"); hasState(err, stateUndefinedTable) {
		return datasetNotFound(schema, table)
	} else if err != nil {
		return fmt.Errorf("locking table %s: %w", name, failure(err))
	}
	if err := checkOwn(ctx, tx, schema, table); err != nil { // it may be another one by now
		return err
	}
	if _, err := tx.Exec(ctx, "DROP TABLE "+name); err != nil {
		return fmt.Errorf("dropping %s: %w", name, dropFailure(err, schema, table))
	}
	if _, err := tx.Exec(ctx, "DELETE FROM sluice.datasets WHERE schema_name = $1 AND table_name = $2", schema, table); err != nil {
		return fmt.Errorf("forgetting dataset %s: %w", name, failure(err))
	}
	return nil
}

// checkOwn fails if there is no dataset of the name, or not one that Sluice has made.
func checkOwn(ctx context.Context, tx pgx.Tx, schema, table string) error {
	var made bool
	err := tx.QueryRow(ctx, "SELECT made FROM sluice.standing_datasets WHERE schema_name = $1 AND table_name = $2", schema, table).
		Scan(&made)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return datasetNotFound(schema, table)
	case err != nil:
		return fmt.Errorf("looking for dataset %s.%s: %w", schema, table, failure(err))
	case !made:
		return events.Failf(events.CodeDatasetNotOwned, "table %s.%s was not made by Sluice, which has only loaded into it", schema, table)
	}
	return nil
}

func datasetNotFound(schema, table string) error {
	return events.Failf(events.CodeDatasetNotFound, "there is no table %s.%s that Sluice has loaded", schema, table)
}

// dropFailure names what Postgres would not drop together with the table.
func dropFailure(err error, schema, table string) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code != stateDependentsExist {
		return failure(err)
	}
	return events.Failf(events.CodeDependentsExist, "to drop table %s.%s would break what depends on it: %s", schema, table,
		listed(strings.Split(pg.Detail, "\n"))).CausedBy(err)
}
