package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// Why a job is not run again.
var (
	errSucceeded  = errors.New("the job has succeeded")
	errUnfinished = errors.New("the job has not ended")
)

// retry answers a wish to run a job again that has failed or was cancelled. What it needs is in the history once redriven
// is stored; a replica that ends there leaves a run that is brought onto the queue by repair.
func (q *queries) retry(ctx context.Context, question events.Retry) (events.Status, error) {
	if !validID(question.ID) {
		return events.Status{}, fmt.Errorf("%w: %q", errNotFound, question.ID)
	}
	before, last, _, err := q.bus.Events.Last(ctx, question.ID, events.TypeRedriven)
	if err != nil {
		return events.Status{}, err
	}
	now, err := q.get(ctx, events.Get{ID: question.ID, Sequence: last})
	switch {
	case err != nil:
		return events.Status{}, err
	case before.Run > now.Run: // it has been begun, but that is not folded yet
		return redriven(now, before.Run), nil
	case now.State == events.StateSucceeded:
		return events.Status{}, errSucceeded
	case !now.State.Terminal():
		return events.Status{}, fmt.Errorf("%w: it is %s", errUnfinished, now.State)
	}
	sequence, err := q.redrive(ctx, now, last)
	if err != nil {
		return events.Status{}, err
	}
	next, err := q.get(ctx, events.Get{ID: question.ID, Sequence: sequence})
	if err == nil && next.Run == now.Run { // the fold is behind
		next = redriven(now, now.Run+1)
	}
	return next, err
}

// redriven is a job's status when one of its runs has just begun.
func redriven(s events.Status, run int) events.Status {
	return events.Status{ID: s.ID, State: events.StateQueued, Run: run, Spec: s.Spec, Table: s.Spec.Table}
}

// redrive begins the run after a job's present one, and returns where the history says so. Last is where that tells of
// the redrive before, or 0: of all who want the run only one begins it.
func (q *queries) redrive(ctx context.Context, now events.Status, last uint64) (uint64, error) {
	job := events.NewJob(now.ID, now.Run+1, now.Spec)
	if err := q.reserve(ctx, job); err != nil {
		return 0, err
	}
	e := events.New(job.ID, events.Position{Run: job.Run}, time.Now(), identity, events.Redriven{})
	sequence, err := q.bus.Events.PublishNext(ctx, e, last)
	if errors.Is(err, bus.ErrConflict) {
		return q.redrivenBy(ctx, job)
	}
	if err != nil {
		return 0, err
	}
	if err := enqueue(ctx, q.bus, job, q.bus.Jobs.Publish); err != nil { // mostly as the run before is still on the queue
		q.log.Info("run not brought onto the queue yet; repair will", "job_id", job.ID, "run", job.Run, "err", err)
	}
	return sequence, nil
}

// reserve sees to it that the run's file is not removed any more, if it is an upload. If it was, the run ends by telling so.
func (q *queries) reserve(ctx context.Context, job events.Job) error {
	upload, is := job.Spec.Source.Upload()
	if !is {
		return nil
	}
	err := q.bus.Uploads.Reserve(ctx, upload, job.ID, time.Time{})
	if errors.Is(err, bus.ErrUploadNotFound) {
		return nil
	}
	return err
}

// redrivenBy returns where the history says that someone else has begun the run.
func (q *queries) redrivenBy(ctx context.Context, job events.Job) (uint64, error) {
	e, sequence, _, err := q.bus.Events.Last(ctx, job.ID, events.TypeRedriven)
	if err == nil && e.Run < job.Run {
		err = errBehind
	}
	return sequence, err
}
