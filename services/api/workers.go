package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// ListWorkers lists the ingesters that answer.
func (s *Service) ListWorkers(ctx context.Context, _ openapi.ListWorkersRequestObject) (openapi.ListWorkersResponseObject, error) {
	workers, err := s.workers(ctx)
	if err != nil {
		return nil, err
	}
	list := openapi.WorkerList{Workers: make([]openapi.Worker, len(workers))}
	for i, w := range workers {
		list.Workers[i] = openapi.Worker{
			Name: w.Name, Version: w.Version, StartedAt: w.StartedAt, Slots: w.Slots, Draining: w.Draining,
			Jobs: append([]string{}, w.Jobs...),
		}
	}
	return openapi.ListWorkers200JSONResponse(list), nil
}

// workers asks all ingesters what they do, and returns the answers by their names: none if there are no ingesters.
func (s *Service) workers(ctx context.Context) ([]events.Worker, error) {
	list, err := bus.Gather[events.Worker](ctx, s.bus.Conn, events.SubjectIngesterWorkers, events.Workers{},
		bus.Gathering{Time: 500 * time.Millisecond, Silence: 150 * time.Millisecond, Most: 1000})
	if errors.Is(err, bus.ErrUnavailable) {
		return nil, refusal.New(refusal.QueueUnavailable, "the ingesters cannot be asked now; try again").Because(err)
	}
	slices.SortFunc(list, func(a, b events.Worker) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}
