package api

import (
	"context"

	"sluice/services/api/openapi"
)

// GetDocs is not there yet.
func (s *Service) GetDocs(context.Context, openapi.GetDocsRequestObject) (openapi.GetDocsResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}

// GetMetrics is not there yet.
func (s *Service) GetMetrics(context.Context, openapi.GetMetricsRequestObject) (openapi.GetMetricsResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}
