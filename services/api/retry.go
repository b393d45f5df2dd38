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
	var status events.Status
	if err := s.ask(ctx, events.SubjectStatusRetry, events.Retry{ID: id}, &status); err != nil {
		return nil, err
	}
	return openapi.RetryJob202JSONResponse(viewJob(status)), nil
}
