package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Expired is a run that ended long ago, of which nothing but the ledger is left.
type Expired struct {
	JobID string
	Run   int
}

// Expired returns some of the jobs that ended longer ago than age, by the database's clock where the worker's was wrong,
// and whose dataset, if they made one, is gone. One that found its source unchanged has made none, and is needed until the
// source's next. The longest ended come first.
func (db *Database) Expired(ctx context.Context, age time.Duration, limit int) ([]Expired, error) {
	rows, err := db.pool.Query(ctx, `
		SELECT job_id::text, run FROM sluice.loads AS l
		WHERE state <> 'loading' AND greatest(opened_at, ended_at) < now() - make_interval(secs => $1)
		  AND ended_at < now() - make_interval(secs => $1) -- for the index
		  AND NOT (state = 'committed' AND EXISTS (
			SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relname = l.table_name AND n.nspname = l.schema_name) AND (unchanged_since IS NULL OR NOT EXISTS (
			SELECT FROM sluice.loads later WHERE later.source_key = l.source_key AND later.committed_at > l.committed_at)))
		ORDER BY ended_at LIMIT $2`, age.Seconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("looking for old ends in the ledger: %w", failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Expired])
	if err != nil {
		return nil, fmt.Errorf("looking for old ends in the ledger: %w", failure(err))
	}
	return list, nil
}

// Forget deletes what the ledger has of a job, and reports whether it did: not if another run was opened meanwhile.
func (db *Database) Forget(ctx context.Context, e Expired) (bool, error) {
	var forgotten bool
	err := db.pool.QueryRow(ctx, `
		WITH l AS (DELETE FROM sluice.loads WHERE job_id = $1 AND run = $2 AND state <> 'loading' RETURNING job_id),
		     b AS (DELETE FROM sluice.batches USING l WHERE batches.job_id = l.job_id),
		     r AS (DELETE FROM sluice.rejects USING l WHERE rejects.job_id = l.job_id)
		SELECT EXISTS (SELECT FROM l)`, e.JobID, e.Run).Scan(&forgotten)
	if err != nil {
		return false, fmt.Errorf("deleting job %s from the ledger: %w", e.JobID, failure(err))
	}
	return forgotten, nil
}
