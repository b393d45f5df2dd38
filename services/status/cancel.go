package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// Why a job is not cancelled.
var (
	errFinished = errors.New("the job has ended")
	errBehind   = errors.New("this replica does not know the job's latest run yet")
)

// cancel answers a wish for a job's end. A job that no worker ever had is cancelled here and now, also while no ingester
// lives; its message stays on the queue for the worker that meets it. Any other one is its worker's to cancel.
func (q *queries) cancel(ctx context.Context, question events.Cancel) (events.Status, error) {
	now, err := q.get(ctx, events.Get{ID: question.ID})
	switch {
	case err != nil:
		return events.Status{}, err
	case now.State == events.StateCancelled:
		return now, nil
	case now.State.Terminal():
		return events.Status{}, fmt.Errorf("%w as %s", errFinished, now.State)
	}
	sequence, err := q.requestCancel(ctx, question.ID, now.Run)
	if err != nil {
		return events.Status{}, err
	}
	return q.get(ctx, events.Get{ID: question.ID, Sequence: sequence})
}

// requestCancel writes the wish into the register and then into the history, and returns its sequence there. Asked again
// it repeats the event, which is the same one: whoever asked before may have ended between the two.
func (q *queries) requestCancel(ctx context.Context, jobID string, run int) (uint64, error) {
	for {
		r, err := q.bus.Registers.Get(ctx, jobID)
		if err != nil {
			return 0, err
		}
		started, err := q.startedIn(ctx, jobID, run)
		if err != nil {
			return 0, err
		}
		next, err := cancelled(r, run, started)
		if err != nil {
			return 0, fmt.Errorf("cancelling job %s: %w", jobID, err)
		}
		if next.State == bus.Done { // cancelled, and reported so
			return 0, nil
		}
		if next != r {
			_, err = q.bus.Registers.Replace(ctx, jobID, r, next)
		}
		if errors.Is(err, bus.ErrConflict) {
			continue // a worker was faster: read again what it wrote
		}
		if err != nil {
			return 0, err
		}
		position := events.Position{Run: run, Claim: next.Claim, Attempt: next.Attempt}
		var data events.Payload = events.CancelRequested{}
		if next.State == bus.Cancelled {
			data = events.Cancelled{}
		}
		return q.bus.Events.Publish(ctx, events.New(jobID, position, time.Now(), identity, data))
	}
}

// cancelled is a register after a cancel of a run: cancelled if the ledger cannot know the run, else cancelling. All
// else in it stays, since by that its worker knows it for its own.
func cancelled(r bus.Register, run int, started bool) (bus.Register, error) {
	next := r
	switch {
	case r.Run > run:
		return r, errBehind
	case r.Run < run: // of an older run, or none at all: no worker has claimed this one, unless the register was lost
		next = bus.Register{State: bus.Cancelled, Run: run, Claim: r.Claim}
		if !r.Written() && started {
			next.State, next.Opened = bus.Cancelling, true
		}
		return next, nil
	case r.State == bus.Done && r.Outcome != events.StateCancelled:
		return r, errFinished
	case r.State == bus.Claimed || r.State == bus.Released && r.Opened:
		next.State = bus.Cancelling
	case r.State == bus.Released:
		next.State = bus.Cancelled
	}
	return next, nil
}

// startedIn reports whether the history knows of a worker that began the run.
func (q *queries) startedIn(ctx context.Context, jobID string, run int) (bool, error) {
	e, _, found, err := q.bus.Events.Last(ctx, jobID, events.TypeStarted)
	return found && e.Run == run, err
}
