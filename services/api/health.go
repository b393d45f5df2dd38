package api

import (
	"bytes"
	"context"
	"time"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// readinessTime bounds a readiness check.
const readinessTime = 2 * time.Second

// GetHealth answers as long as the process can answer anything.
func (s *Service) GetHealth(context.Context, openapi.GetHealthRequestObject) (openapi.GetHealthResponseObject, error) {
	return openapi.GetHealth200JSONResponse{Status: openapi.HealthStatusOk}, nil
}

// GetReadiness asks what the API depends on.
func (s *Service) GetReadiness(ctx context.Context, _ openapi.GetReadinessRequestObject) (openapi.GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, readinessTime)
	defer cancel()
	checks := map[string]string{"nats": "ok", "status": "ok"}
	ready := true
	if !s.bus.Conn.IsConnected() {
		checks["nats"], ready = "not connected", false
	}
	var page events.Page
	if err := s.ask(ctx, events.SubjectStatusList, events.List{Limit: 1}, &page); err != nil {
		checks["status"], ready = "does not answer", false
	}
	if !ready {
		return openapi.GetReadiness503JSONResponse{Status: openapi.HealthStatusUnavailable, Checks: &checks}, nil
	}
	return openapi.GetReadiness200JSONResponse{Status: openapi.HealthStatusOk, Checks: &checks}, nil
}

// GetOpenapi returns the description of the API.
func (s *Service) GetOpenapi(context.Context, openapi.GetOpenapiRequestObject) (openapi.GetOpenapiResponseObject, error) {
	return openapi.GetOpenapi200ApplicationYamlResponse{
		Body: bytes.NewReader(openapi.Document), ContentLength: int64(len(openapi.Document)),
	}, nil
}
