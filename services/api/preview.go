package api

import (
	"context"

	"sluice/services/api/openapi"
)

// CreatePreview is not there yet.
func (s *Service) CreatePreview(context.Context, openapi.CreatePreviewRequestObject) (openapi.CreatePreviewResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}
