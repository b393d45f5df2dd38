package api

import (
	"context"
	"fmt"

	"sluice/pkg/events"
	"sluice/services/api/access"
	"sluice/services/api/refusal"
)

// queueing does what puts a job on the queue, if there is room for it: no more jobs wait that were created with the caller's key
// than that allows. A job that is there already was let in before, and is not refused now.
func (s *Service) queueing(
	ctx context.Context, there func(context.Context) (bool, error), do func() (events.Status, error),
) (events.Status, error) {
	h := access.HolderOf(ctx)
	if h == nil || h.Key.QueuedJobs == 0 {
		return do()
	}
	if err := h.Line.Enter(ctx); err != nil {
		return events.Status{}, err
	}
	defer h.Line.Leave()
	repeated, err := there(ctx)
	if err == nil && !repeated {
		err = s.checkQueue(ctx, h)
	}
	if err != nil {
		return events.Status{}, err
	}
	status, err := do()
	if err == nil && status.Spec.Submitter == h.Key.ID {
		h.Line.Known = status.ID
	}
	return status, err
}

// checkQueue refuses another job if as many wait as the holder's key allows. It knows of those that were created here.
func (s *Service) checkQueue(ctx context.Context, h *access.Holder) error {
	var lanes events.Lanes
	if err := s.ask(ctx, events.SubjectStatusWaiting, events.Waiting{Submitter: h.Key.ID, Known: h.Line.Known}, &lanes); err != nil {
		return err
	}
	waiting := 0
	for _, n := range lanes.Queued {
		waiting += n
	}
	if waiting < h.Key.QueuedJobs {
		return nil
	}
	return refusal.New(refusal.TooManyJobs,
		fmt.Sprintf("%d jobs of this key wait on the queue, and it is good for %d; try again when some have begun", waiting, h.Key.QueuedJobs))
}
