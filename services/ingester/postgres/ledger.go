package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// lockPatience is how long an opener waits for the ledger row before it ends the backend that holds it. A worker that is
// alive holds the row for the length of a few statements.
const lockPatience = "3s"

// Claim names the run of a job that a worker has claimed.
type Claim struct {
	JobID   string // a UUID
	Run     int
	Attempt int
	Spec    events.Spec // what the job is to make, and of what
}

// Open makes the caller the one worker that may commit for a run of a job: it raises the fence and ends what earlier
// workers have under way. What they committed for the run is [Load.Kept]; what is left of an older run is cleared away. If
// the run has ended already, it changes nothing and returns the outcome instead of a load. It fails with [ErrSuperseded]
// if a newer run was opened.
//
// An earlier worker may be frozen in the middle of a transaction, and no time-out on the server covers that; its
// backends are therefore recognised by their application_name and terminated.
func (db *Database) Open(ctx context.Context, claim Claim) (*Load, *Outcome, error) {
	load := &Load{db: db, Claim: claim}
	outcome, err := load.raiseFence(ctx)
	if hasState(err, stateLockNotAvailable) {
		if err := load.endBackends(ctx); err != nil {
			return nil, nil, err
		}
		outcome, err = load.raiseFence(ctx)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening job %s in the ledger: %w", claim.JobID, failure(err))
	}
	if outcome != nil {
		return nil, outcome, nil
	}
	if err := load.endBackends(ctx); err != nil {
		return nil, nil, err
	}
	if err := load.takeOver(ctx); err != nil {
		return nil, nil, err
	}
	return load, nil, nil
}

// raiseFence takes the ledger row for the load, or returns how the run ended. It is a transaction of one round trip: a
// worker that is frozen in it has no fence yet by which its backend could be found and ended.
func (l *Load) raiseFence(ctx context.Context) (*Outcome, error) {
	spec, err := json.Marshal(l.Spec)
	if err != nil {
		return nil, fmt.Errorf("encoding for the ledger: %w", err)
	}
	refused := false
	batch := new(pgx.Batch)
	batch.Queue("SELECT set_config('lock_timeout', $1, true)", lockPatience)
	batch.Queue(`
		INSERT INTO sluice.loads AS l (job_id, run, attempt, fence, state, schema_name, spec)
		VALUES ($1, $2, $3, 1, 'loading', $4, $5)
		ON CONFLICT (job_id) DO UPDATE SET fence = l.fence + 1, run = excluded.run, attempt = excluded.attempt, spec = excluded.spec,
		       columns = CASE WHEN l.run = excluded.run THEN l.columns END,
		       progress = CASE WHEN l.run = excluded.run THEN l.progress END,
		       restarted = CASE WHEN l.run = excluded.run THEN l.restarted END,
		       state = 'loading', failure = NULL, figures = NULL, ended_at = NULL
		WHERE l.state <> 'committed' AND (l.run < excluded.run OR l.run = excluded.run AND l.state = 'loading')
		RETURNING fence, coalesce(progress, 0), coalesce(restarted, 0)`,
		l.JobID, l.Run, l.Attempt, l.Spec.Schema, spec).QueryRow(func(row pgx.Row) error {
		var progress int64
		err := row.Scan(&l.fence, &progress, &l.restarted)
		l.progress.Store(progress)
		if refused = errors.Is(err, pgx.ErrNoRows); refused {
			return nil
		}
		return err
	})
	if err := l.db.pool.SendBatch(ctx, batch).Close(); err != nil || !refused {
		return nil, err
	}
	outcome, err := l.db.Outcome(ctx, l.JobID, l.Run)
	if err == nil && outcome == nil {
		err = ErrSuperseded
	}
	return outcome, err
}

// endBackends terminates the backends of workers whose fence is lower than the load's, or, before it has one, of every
// worker that has the job open. Another database on the same server may have a job of the same id.
func (l *Load) endBackends(ctx context.Context) error {
	below := l.fence
	if below == 0 {
		below = math.MaxInt64
	}
	_, err := l.db.pool.Exec(ctx, `
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
		  AND substring(application_name FROM '^sluice/' || $1 || '/([0-9]{1,18})$')::bigint < $2`, l.JobID, below)
	if err != nil {
		return fmt.Errorf("ending earlier backends of job %s: %w", l.JobID, failure(err))
	}
	return nil
}
