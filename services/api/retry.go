package api

import (
	"context"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// RetryJob runs a job again that has failed or was cancelled.
func (s *Service) RetryJob(ctx context.Context, r openapi.RetryJobRequestObject) (openapi.RetryJobResponseObject, error) {
	id, err := validID(r.ID)
	if err != nil {
		return nil, err
	}
	never := func(context.Context) (bool, error) { return false, nil }
	status, err := s.queueing(ctx, never, func() (status events.Status, err error) {
		err = s.ask(ctx, events.SubjectStatusRetry, events.Retry{ID: id}, &status)
		return status, err
	})
	if err != nil {
		return nil, err
	}
	return openapi.RetryJob202JSONResponse(viewJob(status)), nil
}
