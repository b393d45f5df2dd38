package ingester

import (
	"context"
	"errors"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// finish reports an outcome that the ledger has, and takes the message off the queue; it then returns errEnded. If it does
// not get to its end, the message comes again, its worker finds the same outcome in the ledger and finishes with it.
func (a *attempt) finish(ctx context.Context, o *postgres.Outcome) error {
	settling, done := settle(ctx)
	defer done()
	if err := a.report.ended(settling, o); err != nil {
		return err
	}
	if err := a.markDone(settling, o.State); err != nil {
		return err
	}
	if err := a.lease.end(settling); err != nil {
		return err
	}
	a.log.Info("job ended", "state", o.State, "attempt", o.Attempt, "rows", o.Figures.Rows, "bytes", o.Figures.Bytes)
	if o.State == events.StateSucceeded && o.Result.Outcome != events.OutcomeUnchanged {
		if err := a.parts.Database.Analyze(settling, o.Result.Schema, o.Result.Table); err != nil {
			a.log.Warn("dataset without statistics until autovacuum comes by", "err", err)
		}
		a.dropUpload(settling)
	}
	return errEnded
}

// markDone writes the end into the register, over a cancel that came too late, but not over a newer run.
func (a *attempt) markDone(ctx context.Context, state events.State) error {
	for {
		r, err := a.parts.Bus.Registers.Get(ctx, a.job.ID)
		if err != nil {
			return err
		}
		if r.Run > a.job.Run || r.Run == a.job.Run && r.State == bus.Done {
			return nil
		}
		end := r
		end.State, end.Run, end.Outcome = bus.Done, a.job.Run, state
		_, err = a.parts.Bus.Registers.Replace(ctx, a.job.ID, r, end)
		if !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
}

// release gives the job back for its next attempt, here or elsewhere. It fails with errCancelRequested if the job is to
// be cancelled instead, and with errReleased once it is done.
func (a *attempt) release(ctx context.Context, v verdict) error {
	settling, done := settle(ctx)
	defer done()
	mine := a.owner.register()
	if mine.State == bus.Cancelling { // the register says already what the next worker is to do
		return a.giveBack(v.delay)
	}
	if err := a.report.retrying(settling, v.failure, time.Now().Add(v.delay)); err != nil {
		return err
	}
	next := mine
	next.State = bus.Released
	if !v.spent {
		next.Attempt--
	}
	_, err := a.parts.Bus.Registers.Replace(settling, a.job.ID, mine, next)
	if errors.Is(err, bus.ErrConflict) {
		return a.whyLost(settling)
	}
	if err != nil {
		return err
	}
	return a.giveBack(v.delay)
}

func (a *attempt) giveBack(delay time.Duration) error {
	if err := a.lease.giveBack(delay); err != nil {
		return err
	}
	return errReleased
}

// acknowledge takes the message off the queue.
func (a *attempt) acknowledge(ctx context.Context) error {
	settling, done := settle(ctx)
	defer done()
	if err := a.lease.end(settling); err != nil {
		return err
	}
	return errEnded
}
