package api

import (
	"context"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// GetQueue tells how much there is to do, and who does it.
func (s *Service) GetQueue(ctx context.Context, _ openapi.GetQueueRequestObject) (openapi.GetQueueResponseObject, error) {
	var lanes events.Lanes
	if err := s.ask(ctx, events.SubjectStatusWaiting, events.Waiting{}, &lanes); err != nil {
		return nil, err
	}
	workers, err := s.workers(ctx)
	if err != nil {
		return nil, err
	}
	slots := 0
	for _, w := range workers {
		slots += w.Slots
	}
	return openapi.GetQueue200JSONResponse{
		Depth:   openapi.QueueDepth{Urgent: lanes.Queued[events.Urgent], Normal: lanes.Queued[events.Normal]},
		Running: lanes.Totals[events.StateRunning], Retrying: lanes.Totals[events.StateRetrying],
		Cancelling: lanes.Totals[events.StateCancelling], Workers: len(workers), Slots: slots,
	}, nil
}
