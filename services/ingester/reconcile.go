package ingester

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// unfinishedPage is how many unfinished runs are read from the ledger at once.
const unfinishedPage = 500

// reconciler ends runs that the ledger has as unfinished and that no worker will ever come back to: their message is gone,
// and their register says that they have ended, or is gone as well. It also takes messages off the queue that a server has kept
// although a worker was done with them, and that would keep the job's next run away.
type reconciler struct {
	parts    Parts
	teller   teller
	patience time.Duration
	log      *slog.Logger
	stranded *unchanged[stranded]
}

// stranded is a run without a message, and all that changes when someone comes back to it.
type stranded struct {
	run        postgres.Unfinished
	register   bus.Register
	reconnects uint64 // to NATS, whose store may have been another one before
}

func (r *reconciler) pass(ctx context.Context) error {
	return errors.Join(r.clearQueue(ctx), r.lookAtAll(ctx))
}

func (r *reconciler) clearQueue(ctx context.Context) error {
	jobs, err := r.parts.Bus.Jobs.RemoveAcknowledged(ctx)
	if len(jobs) > 0 {
		r.log.Info("messages removed that were acknowledged", "jobs", jobs)
	}
	return err
}

// lookAtAll looks at all unfinished runs. It breaks off, and forgets what it saw, when NATS or Postgres does not answer.
func (r *reconciler) lookAtAll(ctx context.Context) error {
	r.stranded.begin()
	for after, more := "", true; more; {
		page, err := r.parts.Database.Unfinished(ctx, after, unfinishedPage)
		if err != nil {
			r.stranded.forget()
			return err
		}
		for _, run := range page {
			err := bound(ctx, run.JobID, func(ctx context.Context) error { return r.look(ctx, run) })
			if errors.Is(err, bus.ErrUnavailable) || ctx.Err() != nil {
				r.stranded.forget()
				return err
			}
			if err != nil {
				r.log.Warn("unfinished run not looked at; trying again", "job_id", run.JobID, "err", err)
			}
			after = run.JobID
		}
		more = len(page) == unfinishedPage
	}
	return nil
}

// look settles a run if it has been stranded for long enough. The register is read before the queue: a worker has a
// message first and writes the register then.
func (r *reconciler) look(ctx context.Context, run postgres.Unfinished) error {
	register, err := r.parts.Bus.Registers.Get(ctx, run.JobID)
	if err != nil {
		return err
	}
	if waiting, err := queued(ctx, r.parts.Bus.Jobs, run.JobID); err != nil || waiting {
		return err
	}
	seen := stranded{run, register, r.parts.Bus.Conn.Stats().Reconnects}
	if r.stranded.since(seen) < r.patience {
		return nil
	}
	known, err := r.teller.ends(ctx, run.JobID, run.Run)
	if err != nil {
		return err
	}
	// Of a run that has ended by the history status brings no message back, whatever an older copy of the register says.
	if owned(register) && register.Run >= run.Run && (known.told == nil || register.Run > run.Run) {
		return r.announce(ctx, run, register)
	}
	return r.settle(ctx, run, known, register)
}

// announce makes sure that status knows a job, which then brings its lost message back: the job is its worker's to end.
func (r *reconciler) announce(ctx context.Context, run postgres.Unfinished, register bus.Register) error {
	job, err := r.parts.Database.Entry(ctx, run.JobID)
	if err != nil || job == nil || job.Run != register.Run {
		return err
	}
	_, err = r.teller.origin(ctx, job, register.Claim)
	return err
}

// settle ends a run as the history says that it has ended, and as abandoned if that says nothing. Should anyone come back
// to the run after all, they meet its end in the ledger.
func (r *reconciler) settle(ctx context.Context, run postgres.Unfinished, known ends, register bus.Register) error {
	load, err := r.parts.Database.TakeOver(ctx, run)
	if err != nil || load == nil {
		return err
	}
	outcome, err := settleAs(ctx, load, known, register)
	if err != nil {
		return err
	}
	r.log.Warn("run settled that had lost its message and its worker", "job_id", run.JobID, "run", run.Run, "state", outcome.State)
	job, err := r.parts.Database.Entry(ctx, run.JobID)
	if err != nil || job == nil || job.Run != run.Run {
		return err
	}
	if _, err := r.teller.end(ctx, job, outcome); err != nil {
		return err
	}
	if register.Run >= run.Run {
		return nil
	}
	done := bus.Register{
		State: bus.Done, Run: run.Run, Claim: register.Claim, Attempt: run.Attempt, Opened: true, Outcome: outcome.State,
	}
	if _, err = r.parts.Bus.Registers.Replace(ctx, run.JobID, register, done); errors.Is(err, bus.ErrConflict) {
		return nil // someone has come back
	}
	return err
}

// settleAs records the end of a run by what else is known of it.
func settleAs(ctx context.Context, load *postgres.Load, known ends, register bus.Register) (*postgres.Outcome, error) {
	reason := "its message and its worker are gone; run the job again"
	if known.told != nil {
		switch data := known.told.Data.(type) {
		case events.Cancelled:
			return load.Cancel(ctx, data.Figures, known.told.At)
		case events.Failed:
			return load.Fail(ctx, data.Failure, data.Figures, known.told.At)
		case events.Succeeded: // the database was brought back from an older copy
			reason = "the run had succeeded, and the database has lost it since"
		}
	}
	asked := register.State == bus.Cancelled || register.State == bus.Done && register.Outcome == events.StateCancelled
	if known.told == nil && asked && register.Run == load.Run { // by status, which has ended before it could say so
		return load.Cancel(ctx, events.Figures{}, time.Now())
	}
	return load.Fail(ctx, *events.Failf(events.CodeAbandoned, "%s", reason), events.Figures{}, time.Now())
}
