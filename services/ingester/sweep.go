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

// expiredPage is how many old ends one sweep deletes at most.
const expiredPage = 1000

// recordMargin is by how much the clock of another ingester may be behind, and how long a publication may take to commit.
const recordMargin = time.Hour

// sweeper clears away what no job needs any more: staging tables, the ledger and the register of jobs long ended, and what is
// known of datasets long gone. It makes up for what is not known of datasets, and not shown to the API.
type sweeper struct {
	parts     Parts
	config    Repairs
	log       *slog.Logger
	leftovers *unchanged[postgres.Leftover]
	recorded  time.Time // up to when the loads that ended are known to be recorded
}

func newSweeper(parts Parts, config Repairs, log *slog.Logger) *sweeper {
	return &sweeper{parts: parts, config: config, log: log, leftovers: newUnchanged[postgres.Leftover]()}
}

func (s *sweeper) pass(ctx context.Context) error {
	return errors.Join(s.dropLeftovers(ctx), s.forgetExpired(ctx), s.parts.Database.ForgetDatasets(ctx, s.config.Keep), s.catchUp(ctx))
}

// catchUp records and shows the datasets that earlier ingesters have published, and shows those that were locked.
func (s *sweeper) catchUp(ctx context.Context) error {
	upTo := time.Now().Add(-recordMargin)
	complete, err := s.parts.Database.RecordDatasets(ctx, s.recorded)
	if err != nil {
		return err
	}
	if complete {
		s.recorded = upTo
	}
	hidden, err := s.parts.Database.ShowDatasets(ctx)
	if len(hidden) > 0 {
		s.log.Info("the API cannot read yet what others are changing; trying again", "datasets", hidden)
	}
	return err
}

// dropLeftovers drops the staging tables without a run that were there in the pass before already.
func (s *sweeper) dropLeftovers(ctx context.Context) error {
	s.leftovers.begin()
	list, err := s.parts.Database.Leftovers(ctx)
	if err != nil {
		return err
	}
	for _, found := range list {
		if s.leftovers.since(found) < s.config.Patience {
			continue
		}
		err := bound(ctx, found.JobID, func(ctx context.Context) error {
			dropped, err := s.parts.Database.DropLeftover(ctx, found)
			if dropped {
				s.log.Info("staging table dropped that was left behind", "job_id", found.JobID, "schema", found.Schema)
			}
			return err
		})
		if err != nil {
			s.log.Warn("staging table not dropped; trying again", "job_id", found.JobID, "err", err)
		}
	}
	return nil
}

// forgetExpired deletes the ledger and the register of jobs that ended long ago.
func (s *sweeper) forgetExpired(ctx context.Context) error {
	list, err := s.parts.Database.Expired(ctx, s.config.Keep, expiredPage)
	if err != nil {
		return err
	}
	for _, e := range list {
		err := bound(ctx, e.JobID, func(ctx context.Context) error { return s.forget(ctx, e) })
		if errors.Is(err, bus.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		if err != nil {
			s.log.Warn("old end not deleted; trying again", "job_id", e.JobID, "err", err)
		}
	}
	return nil
}

// forget deletes the register first: of a job without a row in the ledger nobody would find it again.
func (s *sweeper) forget(ctx context.Context, e postgres.Expired) error {
	register, err := s.parts.Bus.Registers.Get(ctx, e.JobID)
	if err != nil {
		return err
	}
	if needed, err := s.needed(ctx, e, register); err != nil || needed {
		return err
	}
	if register.Written() {
		err := s.parts.Bus.Registers.Remove(ctx, e.JobID, register)
		if errors.Is(err, bus.ErrConflict) {
			return nil // someone has come back to the job, or another sweep is at it
		}
		if err != nil {
			return err
		}
	}
	_, err = s.parts.Database.Forget(ctx, e)
	return err
}

// needed reports whether a job that ended long ago is about to be run again, or was of late.
func (s *sweeper) needed(ctx context.Context, e postgres.Expired, register bus.Register) (bool, error) {
	if waiting, err := queued(ctx, s.parts.Bus.Jobs, e.JobID); err != nil || waiting {
		return true, err
	}
	redriven, _, _, err := s.parts.Bus.Events.Last(ctx, e.JobID, events.TypeRedriven)
	return redriven.Run > e.Run || register.Run > e.Run && owned(register), err
}
