package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// publishPatience is how long a publishing transaction waits for any one lock. Whoever waits for the table meanwhile waits
// behind it, and the worker could do something else.
const publishPatience = "3s"

// limitWaits keeps a publishing transaction from waiting long for a lock.
func (l *Load) limitWaits(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+publishPatience+"'"); err != nil {
		return fmt.Errorf("publishing job %s: %w", l.JobID, failure(err))
	}
	return nil
}

// takeTurn locks the name of a table: jobs that want the same take turns. Everyone locks the name, then the ledger's row, then
// the table.
func (l *Load) takeTurn(ctx context.Context, tx pgx.Tx, table string) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "sluice:"+l.Spec.Schema+"."+table)
	if err != nil {
		return fmt.Errorf("locking table %s: %w", table, failure(err))
	}
	return nil
}

// asBusy says of a lock that was not got which table it was for.
func (l *Load) asBusy(err error, table string) error {
	if !hasState(err, stateLockNotAvailable, stateDeadlock) {
		return err
	}
	return l.busy(table, "another job publishes into it, or a session, such as pg_dump, has locked it or the rows loaded for it").
		CausedBy(err)
}
