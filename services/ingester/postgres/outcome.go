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
		o.At = at.UTC()
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

// ledgerTime is a time as the ledger keeps it.
func ledgerTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
