package api

import (
	"context"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// CancelJob asks for a job's end.
func (s *Service) CancelJob(ctx context.Context, r openapi.CancelJobRequestObject) (openapi.CancelJobResponseObject, error) {
	status, err := s.cancel(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if status.State == events.StateCancelled {
		return openapi.CancelJob200JSONResponse{CancelledJSONResponse: openapi.CancelledJSONResponse(viewJob(status))}, nil
	}
	return openapi.CancelJob202JSONResponse{CancellingJSONResponse: openapi.CancellingJSONResponse(viewJob(status))}, nil
}

// DeleteJob does the same as [Service.CancelJob].
func (s *Service) DeleteJob(ctx context.Context, r openapi.DeleteJobRequestObject) (openapi.DeleteJobResponseObject, error) {
	status, err := s.cancel(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if status.State == events.StateCancelled {
		return openapi.DeleteJob200JSONResponse{CancelledJSONResponse: openapi.CancelledJSONResponse(viewJob(status))}, nil
	}
	return openapi.DeleteJob202JSONResponse{CancellingJSONResponse: openapi.CancellingJSONResponse(viewJob(status))}, nil
}

func (s *Service) cancel(ctx context.Context, id string) (events.Status, error) {
	id, err := validID(id)
	if err != nil {
		return events.Status{}, err
	}
	var status events.Status
	err = s.ask(ctx, events.SubjectStatusCancel, events.Cancel{ID: id}, &status)
	return status, err
}
