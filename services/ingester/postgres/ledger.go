package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// lockPatience is how long an opener waits for the ledger row before it ends the backend that holds it. A worker that is
// alive holds the row for the length of a few statements.
const lockPatience = "3s"

// Outcome is the end of a run as the ledger has it. It is final.
type Outcome struct {
	State   events.State // succeeded, failed or cancelled
	Run     int
	Attempt int
	Result  events.Result  // if succeeded
	Failure events.Failure // if failed
	Figures events.Figures
	At      time.Time
}

// Claim names the run of a job that a worker has claimed.
type Claim struct {
	JobID   string // a UUID
	Run     int
	Attempt int
	Schema  string // of the dataset
}

// Open makes the caller the one worker that may commit for a run of a job: it raises the fence, ends what earlier
// workers have under way, and clears away what they left unfinished. If the run has ended already, it changes nothing
// and returns the outcome instead of a load. It fails with [ErrSuperseded] if a newer run was opened.
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
	if err := load.clear(ctx); err != nil {
		return nil, nil, err
	}
	return load, nil, nil
}

// raiseFence takes the ledger row for the load, or returns how the run ended.
func (l *Load) raiseFence(ctx context.Context) (outcome *Outcome, err error) {
	tx, err := l.db.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer rollback(ctx, tx)
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+lockPatience+"'"); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO sluice.loads (job_id, run, attempt, fence, state, schema_name)
		VALUES ($1, $2, $3, 0, 'loading', $4) ON CONFLICT DO NOTHING`, l.JobID, l.Run, l.Attempt, l.Schema); err != nil {
		return nil, err
	}
	outcome, err = l.readOutcome(ctx, tx)
	if err != nil || outcome != nil {
		return outcome, err
	}
	if err := tx.QueryRow(ctx, `
		UPDATE sluice.loads SET fence = fence + 1, run = $2, attempt = $3, state = 'loading', failure = NULL,
		       figures = NULL, ended_at = NULL
		WHERE job_id = $1 RETURNING fence`, l.JobID, l.Run, l.Attempt).Scan(&l.fence); err != nil {
		return nil, err
	}
	return nil, tx.Commit(ctx)
}

// readOutcome locks the ledger row and returns how this run has ended, or nil if it has not.
func (l *Load) readOutcome(ctx context.Context, tx pgx.Tx) (*Outcome, error) {
	o, err := scanOutcome(tx.QueryRow(ctx, selectOutcome+" FOR UPDATE", l.JobID))
	if err != nil {
		return nil, err
	}
	switch {
	case o.State == events.StateSucceeded: // whatever the run: the rows are there
		return o, nil
	case o.Run > l.Run:
		return nil, ErrSuperseded
	case o.Run < l.Run || !o.State.Terminal():
		return nil, nil
	}
	return o, nil
}

// Outcome returns how a run of a job has ended, or nil if the ledger does not know it or it has not.
func (db *Database) Outcome(ctx context.Context, jobID string, run int) (*Outcome, error) {
	o, err := scanOutcome(db.pool.QueryRow(ctx, selectOutcome, jobID))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of job %s: %w", jobID, failure(err))
	}
	if o.State == events.StateSucceeded || o.Run == run && o.State.Terminal() {
		return o, nil
	}
	return nil, nil
}

const selectOutcome = "SELECT state, run, attempt, result, failure, figures, ended_at FROM sluice.loads WHERE job_id = $1"

func scanOutcome(row pgx.Row) (*Outcome, error) {
	var (
		o                       Outcome
		state                   string
		result, failed, figures *[]byte
		at                      *time.Time
	)
	if err := row.Scan(&state, &o.Run, &o.Attempt, &result, &failed, &figures, &at); err != nil {
		return nil, err
	}
	o.State = outcomeStates[state]
	if at != nil {
		o.At = *at
	}
	for _, part := range []struct {
		data *[]byte
		into any
	}{{result, &o.Result}, {failed, &o.Failure}, {figures, &o.Figures}} {
		if part.data == nil {
			continue
		}
		if err := json.Unmarshal(*part.data, part.into); err != nil {
			return nil, fmt.Errorf("decoding the ledger: %w", err)
		}
	}
	return &o, nil
}

// The states of a row in the ledger.
const (
	stateLoading   = "loading"
	stateCommitted = "committed"
	stateFailed    = "failed"
	stateCancelled = "cancelled"
)

var outcomeStates = map[string]events.State{
	stateLoading:   events.StateRunning,
	stateCommitted: events.StateSucceeded,
	stateFailed:    events.StateFailed,
	stateCancelled: events.StateCancelled,
}

// endBackends terminates the backends of workers whose fence is lower than the load's, or, before it has one, of every
// worker that has the job open.
func (l *Load) endBackends(ctx context.Context) error {
	_, err := l.db.pool.Exec(ctx, `
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name LIKE 'sluice/' || $1 || '/%' AND pid <> pg_backend_pid()
		  AND ($2 = 0 OR split_part(application_name, '/', 3)::bigint < $2)`, l.JobID, l.fence)
	if err != nil {
		return fmt.Errorf("ending earlier backends of job %s: %w", l.JobID, failure(err))
	}
	return nil
}

// clear drops what earlier workers committed and did not publish.
func (l *Load) clear(ctx context.Context) error {
	return l.underFence(ctx, func(tx pgx.Tx) error { return l.dropStaging(ctx, tx) })
}

// underFence runs a transaction that holds the ledger row from its start and commits only what the fence allows.
func (l *Load) underFence(ctx context.Context, do func(tx pgx.Tx) error) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(ctx, tx)
	if err := l.checkFence(ctx, tx, "FOR UPDATE"); err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return fmt.Errorf("job %s: %w", l.JobID, failure(err))
	}
	return l.commit(ctx, tx)
}

// begin starts a transaction by whose name a later worker can find and end it.
func (l *Load) begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := l.db.pool.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting a transaction: %w", failure(err))
	}
	if _, err := tx.Exec(ctx, "SET LOCAL application_name = 'sluice/"+l.JobID+"/"+strconv.FormatInt(l.fence, 10)+"'"); err != nil {
		rollback(ctx, tx)
		return nil, fmt.Errorf("starting a transaction: %w", failure(err))
	}
	return tx, nil
}

// checkFence locks the ledger row and fails with [ErrFenceLost] unless the load may still commit. FOR SHARE lets a job's
// connections commit side by side and holds off whoever wants to raise the fence; KEY SHARE would not.
func (l *Load) checkFence(ctx context.Context, tx pgx.Tx, lock string) error {
	tag, err := tx.Exec(ctx, `
		SELECT FROM sluice.loads WHERE job_id = $1 AND run = $2 AND fence = $3 AND state = 'loading' `+lock,
		l.JobID, l.Run, l.fence)
	if err != nil {
		return fmt.Errorf("checking the fence of job %s: %w", l.JobID, failure(err))
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("checking the fence of job %s: %w", l.JobID, ErrFenceLost)
	}
	return nil
}

func (l *Load) commit(ctx context.Context, tx pgx.Tx) error {
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("committing for job %s: %w", l.JobID, commitFailure(err))
	}
	return nil
}

// rollback ends a transaction that was not committed; after a commit it does nothing. A connection on which it fails is
// closed by the driver, which ends the transaction as well.
func rollback(ctx context.Context, tx pgx.Tx) { _ = tx.Rollback(context.WithoutCancel(ctx)) }
