package ingester

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// claim makes this worker the owner of the job in the register. It fails with errEnded when the run has ended already
// and the message is off the queue, and with errOwnershipLost when another worker was faster.
//
// The register is written twice: once to claim, and once more, after started is stored, to spend the attempt. Between
// the two, status may have cancelled the job, believing that no worker had it; the second write then fails.
func (a *attempt) claim(ctx context.Context) (aim, error) {
	ctx, done := settle(ctx) // a worker that is being shut down hands over what it has begun to claim
	defer done()
	for {
		r, err := a.parts.Bus.Registers.Get(ctx, a.job.ID)
		if err != nil {
			return aim{}, err
		}
		if err := a.endedAlready(ctx, r); err != nil {
			return aim{}, err
		}
		if a.foreign(r) {
			return aim{}, errOwnershipLost
		}
		if !r.Written() {
			if r.Claim, err = a.claimsSoFar(ctx); err != nil {
				return aim{}, err
			}
		}
		next := a.nextClaim(r)
		mine, err := a.parts.Bus.Registers.Replace(ctx, a.job.ID, r, next)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		if err != nil {
			return aim{}, err
		}
		a.owner.wrote(mine)
		a.report.begin(mine)
		if mine.State == bus.Cancelling {
			return aim{cancel: true}, nil
		}
		err = a.spend(ctx, mine)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		return aim{}, err
	}
}

// foreign reports whether this worker, after it has claimed the job, has lost it to another one. A cancel is none: it is
// taken over, so that it is this worker's.
func (a *attempt) foreign(r bus.Register) bool {
	mine := a.owner.register()
	return mine.Written() && !(r.State == bus.Cancelling && sameClaim(r, mine))
}

// claimsSoFar is the count of claims of a job without a register, which may have been lost. Events of later claims must
// come after those of earlier ones.
func (a *attempt) claimsSoFar(ctx context.Context) (int, error) {
	last, _, _, err := a.parts.Bus.Events.Last(ctx, a.job.ID, events.TypeStarted)
	return last.Claim, err
}

// nextClaim is the register with this worker as the owner. A register of an older run counts as absent, but for the
// count of claims.
func (a *attempt) nextClaim(r bus.Register) bus.Register {
	next := bus.Register{State: bus.Claimed, Run: a.job.Run, Claim: r.Claim + 1, Worker: a.config.Worker}
	if r.Run == a.job.Run {
		next.Attempt, next.Opened = r.Attempt, r.Opened
		if r.State == bus.Cancelling {
			next.State = bus.Cancelling
		}
	}
	return next
}

// spend reports the start and spends an attempt. From here on the ledger may know the run.
func (a *attempt) spend(ctx context.Context, mine bus.Register) error {
	next := mine
	next.Attempt++
	next.Opened = true
	a.report.begin(next)
	if err := a.report.started(ctx); err != nil {
		return err
	}
	mine, err := a.parts.Bus.Registers.Replace(ctx, a.job.ID, mine, next)
	if err != nil {
		return err
	}
	a.owner.wrote(mine)
	return nil
}

// exhausted is the failure of a job whose attempts all ended without a verdict, with what the last report tells of it.
func (a *attempt) exhausted(ctx context.Context) *events.Failure {
	last, _, found, err := a.parts.Bus.Events.Last(ctx, a.job.ID, events.TypeRetrying)
	if retrying, ok := last.Data.(events.Retrying); err == nil && found && ok &&
		last.Run == a.job.Run && retrying.Failure != nil {
		return exhausted(a.config.MaxAttempts, retrying.Failure)
	}
	return events.Failf(events.CodeAttemptsExhausted,
		"%d attempts in a row ended without a word from their workers, which may have been killed", a.config.MaxAttempts)
}

// endedAlready returns errEnded if the message's run needs no more work. The message is then off the queue, and the
// history tells the run's end.
func (a *attempt) endedAlready(ctx context.Context, r bus.Register) error {
	switch {
	case r.Run > a.job.Run:
		return a.acknowledge(ctx)
	case r.Run == a.job.Run && (r.State == bus.Done || r.State == bus.Cancelled):
		return a.repeatEnd(ctx, r)
	case r.Run == a.job.Run && r.State != bus.Absent:
		return nil
	}
	// Without a register of this run, the history tells whether it was lost.
	for _, t := range []events.Type{events.TypeSucceeded, events.TypeFailed, events.TypeCancelled, events.TypeRedriven} {
		e, _, found, err := a.parts.Bus.Events.Last(ctx, a.job.ID, t)
		if err != nil {
			return err
		}
		if found && (e.Run > a.job.Run || e.Run == a.job.Run && t.Terminal()) {
			return a.acknowledge(ctx)
		}
	}
	return nil
}

// repeatEnd makes sure that the history tells how the run ended, and acknowledges the message.
func (a *attempt) repeatEnd(ctx context.Context, r bus.Register) error {
	outcome := r.Outcome
	if r.State == bus.Cancelled {
		outcome = events.StateCancelled
	}
	t, ok := outcomeTypes[outcome]
	if !ok {
		return fmt.Errorf("the register of job %s has no outcome", a.job.ID)
	}
	e, _, found, err := a.parts.Bus.Events.Last(ctx, a.job.ID, t)
	if err != nil {
		return err
	}
	if found && e.Run == a.job.Run {
		return a.acknowledge(ctx)
	}
	a.report.begin(r)
	if r.State == bus.Cancelled { // by status, which has ended before it could say so
		if err := a.report.publish(ctx, time.Now(), events.Cancelled{}); err != nil {
			return err
		}
		return a.acknowledge(ctx)
	}
	known, err := a.parts.Database.Outcome(ctx, a.job.ID, a.job.Run)
	if err != nil {
		return err
	}
	if known != nil {
		if err := a.report.ended(ctx, known); err != nil {
			return err
		}
	}
	return a.acknowledge(ctx)
}

var outcomeTypes = map[events.State]events.Type{
	events.StateSucceeded: events.TypeSucceeded,
	events.StateFailed:    events.TypeFailed,
	events.StateCancelled: events.TypeCancelled,
}
