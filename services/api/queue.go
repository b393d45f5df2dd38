package api

import (
	"context"

	"sluice/services/api/openapi"
)

// GetQueue is not there yet.
func (s *Service) GetQueue(context.Context, openapi.GetQueueRequestObject) (openapi.GetQueueResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}

// ListWorkers is not there yet.
func (s *Service) ListWorkers(context.Context, openapi.ListWorkersRequestObject) (openapi.ListWorkersResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}
