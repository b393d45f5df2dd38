package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// publishPatience is how long a publishing transaction waits for any one lock. Whoever waits for the table meanwhile waits
// behind it, and the worker could do something else.
const publishPatience = "3s"

// limitWaits keeps a transaction that publishes or drops from waiting long for a lock.
func limitWaits(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+publishPatience+"'"); err != nil {
		return fmt.Errorf("limiting waits: %w", failure(err))
	}
	return nil
}

// takeTurn locks the name of a table: who wants the same takes turns. Everyone locks the name, then the ledger's row, then
// the table.
func takeTurn(ctx context.Context, tx pgx.Tx, schema, table string) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", turnName(schema, table))
	if err != nil {
		return fmt.Errorf("locking table %s: %w", table, failure(err))
	}
	return nil
}

// turnName is what is locked for the name of a table.
func turnName(schema, table string) string { return "sluice:" + schema + "." + table }

// orBusy does what needs the turn of a table, and says of a lock that was not got which table it was for, and who has it.
func orBusy(ctx context.Context, db *Database, tx pgx.Tx, schema, table string, do func() error) error {
	blockers, err := db.watchBlockers(ctx, tx)
	if err != nil {
		return err
	}
	err = do()
	by := blockers().String()
	if !hasState(err, stateLockNotAvailable, stateDeadlock) {
		return err
	}
	if by == "" {
		by = "another job publishes into it, or a session, such as pg_dump, has locked it or the rows loaded for it"
	}
	return busy(schema, table, by).CausedBy(err)
}

// busy says that another try will do.
func busy(schema, table, why string) *events.Failure {
	return events.Failf(events.CodeTableBusy, "table %s.%s is in use by others: %s", schema, table, why)
}
