package ingester

import (
	"context"
	"errors"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// teller makes the history whole where it lacks what the ledger knows. Any number of them, and the job's own worker, may
// tell of the same job at once: each event is stored once.
type teller struct {
	events   *bus.Events
	database *postgres.Database
	by       string
}

// ends is what the history says of how a run ended.
type ends struct {
	told  *events.Event // nil if it does not say
	newer bool          // whether it knows a newer run
	last  map[events.Type]uint64
}

// ends reads what the history says of how a run ended. Of events that contradict each other it returns the one that is
// believed.
func (t teller) ends(ctx context.Context, jobID string, run int) (ends, error) {
	found := ends{last: make(map[events.Type]uint64)}
	for _, kind := range []events.Type{events.TypeSucceeded, events.TypeCancelled, events.TypeFailed, events.TypeRedriven} {
		e, sequence, some, err := t.events.Last(ctx, jobID, kind)
		if err != nil {
			return ends{}, err
		}
		if !some {
			continue
		}
		found.last[kind] = sequence
		found.newer = found.newer || e.Run > run
		if e.Run == run && kind.Terminal() && found.told == nil {
			found.told = &e
		}
	}
	return found, nil
}

// end tells how a job's latest run has ended, unless the history says so, and returns whether it did.
func (t teller) end(ctx context.Context, job *postgres.Entry, outcome *postgres.Outcome) (bool, error) {
	known, err := t.ends(ctx, job.JobID, job.Run)
	if err != nil || known.told != nil || known.newer {
		return false, err
	}
	claim, err := t.origin(ctx, job, 0)
	if err != nil {
		return false, err
	}
	data, err := endOf(outcome)
	if err != nil {
		return false, err
	}
	at := events.Position{Run: job.Run, Claim: claim, Attempt: outcome.Attempt}
	_, err = t.events.PublishMissing(ctx, events.New(job.JobID, at, outcome.At, t.by, data), known.last[data.Type()])
	if errors.Is(err, bus.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// origin tells what the job is, if the history has lost that, and that the claim began it. It returns the latest claim
// of the run that the history knows.
func (t teller) origin(ctx context.Context, job *postgres.Entry, claim int) (int, error) {
	started, _, found, err := t.events.Last(ctx, job.JobID, events.TypeStarted)
	if err != nil {
		return 0, err
	}
	if found && started.Run == job.Run {
		return started.Claim, nil
	}
	if _, _, created, err := t.events.Last(ctx, job.JobID, events.TypeCreated); err != nil || found || created || job.Spec == nil {
		return claim, err
	}
	at := events.Position{Run: job.Run, Claim: claim, Attempt: job.Attempt}
	e := events.New(job.JobID, at, job.OpenedAt, t.by, events.Started{Spec: *job.Spec, Worker: t.by})
	if _, err := t.events.PublishMissing(ctx, e, 0); err != nil && !errors.Is(err, bus.ErrConflict) {
		return 0, err
	}
	return claim, nil
}
