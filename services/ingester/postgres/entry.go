package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// Entry is what the ledger has of a job.
type Entry struct {
	JobID    string
	Run      int          // the latest that was opened
	State    events.State // running while that has not ended
	Attempt  int
	OpenedAt time.Time    // by the database's clock, when the job was opened first
	Spec     *events.Spec // nil if an older Sluice opened the job
}

// Entry returns what the ledger has of a job, or nil if it was never opened or is forgotten.
func (db *Database) Entry(ctx context.Context, jobID string) (*Entry, error) {
	e := Entry{JobID: jobID}
	var state string
	var spec *[]byte
	err := db.pool.QueryRow(ctx, "SELECT run, state, attempt, opened_at, spec FROM sluice.loads WHERE job_id = $1", jobID).
		Scan(&e.Run, &state, &e.Attempt, &e.OpenedAt, &spec)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of job %s: %w", jobID, failure(err))
	}
	e.State = outcomeStates[state]
	if spec == nil {
		return &e, nil
	}
	if err := json.Unmarshal(*spec, &e.Spec); err != nil {
		return nil, fmt.Errorf("decoding the ledger of job %s: %w", jobID, err)
	}
	return &e, nil
}

// Ended returns a page of the jobs whose latest run has ended no longer ago than age, by their ids, from behind one on, or
// from the first with "".
func (db *Database) Ended(ctx context.Context, age time.Duration, after string, limit int) ([]events.LedgerRun, error) {
	rows, err := db.pool.Query(ctx, `
		SELECT job_id::text, run, state, ended_at FROM sluice.loads
		WHERE state <> 'loading' AND job_id > $1 AND ended_at > now() - make_interval(secs => $2) ORDER BY loads.job_id LIMIT $3`,
		firstID(after), age.Seconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the ends in the ledger: %w", failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[events.LedgerRun])
	if err != nil {
		return nil, fmt.Errorf("reading the ends in the ledger: %w", failure(err))
	}
	for i := range list {
		list[i].State, list[i].EndedAt = outcomeStates[string(list[i].State)], list[i].EndedAt.UTC()
	}
	return list, nil
}

// EndedWithin reports whether the latest run of a job has ended no longer ago than age, by the database's clock.
func (db *Database) EndedWithin(ctx context.Context, age time.Duration, jobID string) (bool, error) {
	var within bool
	err := db.pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM sluice.loads WHERE job_id = $1 AND ended_at > now() - make_interval(secs => $2))`,
		jobID, age.Seconds()).Scan(&within)
	if err != nil {
		return false, fmt.Errorf("reading the ledger of job %s: %w", jobID, failure(err))
	}
	return within, nil
}
