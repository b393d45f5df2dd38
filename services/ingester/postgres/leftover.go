package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// leftoverPatience is how long a sweep waits for a lock on a table that nobody should need.
const leftoverPatience = "1s"

// Leftover is a staging table of a job that has no run under way by the ledger.
type Leftover struct {
	OID    uint32
	Schema string
	Table  string
	JobID  string
}

// Leftovers returns the staging tables in all schemas whose job has ended by the ledger, or is unknown to it.
func (db *Database) Leftovers(ctx context.Context) ([]Leftover, error) {
	rows, err := db.pool.Query(ctx, `
		WITH staging AS MATERIALIZED ( -- before what is behind the prefix is taken for an id
			SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relname ~ '^sluice_staging_[0-9a-f]{32}$')
		SELECT oid, nspname::text, relname::text, id::text
		FROM staging, CAST(substring(relname, 16) AS uuid) AS id
		WHERE NOT EXISTS (SELECT FROM sluice.loads WHERE job_id = id AND state = 'loading')
		ORDER BY oid`)
	if err != nil {
		return nil, fmt.Errorf("looking for staging tables: %w", failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Leftover])
	if err != nil {
		return nil, fmt.Errorf("looking for staging tables: %w", failure(err))
	}
	return list, nil
}

// DropLeftover drops a staging table, and reports whether it did: not if the job has a run under way meanwhile, if
// someone has a lock on either, or if the table is not the one that was found. What the ledger has of the batches of a
// job that it does not know goes with it.
func (db *Database) DropLeftover(ctx context.Context, found Leftover) (bool, error) {
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return false, fmt.Errorf("starting a transaction: %w", failure(err))
	}
	defer rollback(ctx, tx)
	free, err := holdLeftover(ctx, tx, found)
	if hasState(err, stateLockNotAvailable, stateUndefinedTable) {
		return false, nil
	}
	if err != nil || !free {
		return false, failure(err)
	}
	batch := new(pgx.Batch)
	batch.Queue("DROP TABLE " + pgx.Identifier{found.Schema, found.Table}.Sanitize())
	for _, table := range []string{"batches", "rejects"} {
		batch.Queue("DELETE FROM sluice."+table+` WHERE job_id = $1
			AND NOT EXISTS (SELECT FROM sluice.loads WHERE job_id = $1)`, found.JobID)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return false, fmt.Errorf("dropping %s.%s: %w", found.Schema, found.Table, failure(err))
	}
	if err := tx.Commit(ctx); err != nil {
		return false, fmt.Errorf("dropping %s.%s: %w", found.Schema, found.Table, commitFailure(err))
	}
	return true, nil
}

// holdLeftover locks the table and its job's row, and reports whether the table is still to be dropped. With both locked
// nobody can open the job: who is about to waits for its row, or for the table that it finds in its way.
func holdLeftover(ctx context.Context, tx pgx.Tx, found Leftover) (bool, error) {
	name := pgx.Identifier{found.Schema, found.Table}.Sanitize()
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+leftoverPatience+"'"); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE "+name+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return false, err
	}
	var same bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1)::oid = $2", name, found.OID).Scan(&same); err != nil || !same {
		return false, err
	}
	rows, err := tx.Query(ctx, "SELECT state FROM sluice.loads WHERE job_id = $1 FOR UPDATE NOWAIT", found.JobID)
	if err != nil {
		return false, err
	}
	states, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return err == nil && (len(states) == 0 || states[0] != stateLoading), err
}
