package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// Unfinished is a run that has been opened and has not ended, as the ledger had it when it was read.
type Unfinished struct {
	JobID   string
	Run     int
	Attempt int
	Schema  string // of the dataset, and of the staging table
	Fence   int64  // raised whenever a worker opens the job
}

// Unfinished returns a page of the unfinished runs by the ids of their jobs, from behind one on, or from the first with "".
func (db *Database) Unfinished(ctx context.Context, after string, limit int) ([]Unfinished, error) {
	rows, err := db.pool.Query(ctx, `
		SELECT job_id::text, run, attempt, schema_name, fence FROM sluice.loads
		WHERE state = 'loading' AND job_id > $1 ORDER BY loads.job_id LIMIT $2`, firstID(after), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the unfinished runs: %w", failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Unfinished])
	if err != nil {
		return nil, fmt.Errorf("reading the unfinished runs: %w", failure(err))
	}
	return list, nil
}

// firstID is below the id of every job where a page begins at the first.
func firstID(after string) string {
	if after == "" {
		return "00000000-0000-0000-0000-000000000000"
	}
	return after
}

// TakeOver opens a run to settle it in the place of its worker, if nobody has opened it since it was read and nobody has
// a lock on its row in the ledger; otherwise it changes nothing and returns nil. The load has no staging table to copy
// into: it ends with [Load.Fail] or [Load.Cancel].
func (db *Database) TakeOver(ctx context.Context, u Unfinished) (*Load, error) {
	load := &Load{db: db, Claim: Claim{JobID: u.JobID, Run: u.Run, Attempt: u.Attempt, Spec: events.Spec{Schema: u.Schema}}}
	err := db.pool.QueryRow(ctx, `
		UPDATE sluice.loads SET fence = fence + 1 WHERE job_id = (
			SELECT job_id FROM sluice.loads WHERE job_id = $1 AND run = $2 AND fence = $3 AND state = 'loading'
			FOR UPDATE SKIP LOCKED)
		RETURNING fence`, u.JobID, u.Run, u.Fence).Scan(&load.fence)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking job %s over in the ledger: %w", u.JobID, failure(err))
	}
	if err := load.endBackends(ctx); err != nil {
		return nil, err
	}
	return load, nil
}
