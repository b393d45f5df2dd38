package api

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// readinessTime bounds a readiness check.
const readinessTime = 2 * time.Second

// GetHealth answers as long as the process can answer anything.
func (s *Service) GetHealth(context.Context, openapi.GetHealthRequestObject) (openapi.GetHealthResponseObject, error) {
	return openapi.GetHealth200JSONResponse{Status: openapi.HealthStatusOk, Version: optional(daemon.Version())}, nil
}

// GetReadiness asks what the API depends on, all at once.
func (s *Service) GetReadiness(ctx context.Context, _ openapi.GetReadinessRequestObject) (openapi.GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, readinessTime)
	defer cancel()
	checks := map[string]string{"nats": s.checkNATS()}
	queue, documents := make(chan string, 1), make(chan string, 1)
	go func() { queue <- said(s.bus.CheckQueue(ctx), "the queue") }()
	go func() { documents <- said(s.bus.CheckDocuments(ctx), "the bucket of documents") }()
	checks["status"] = s.checkStatus(ctx)
	checks["queue"] = <-queue
	if why := <-documents; checks["status"] == fine {
		checks["status"] = why // status answers from memory also when what it keeps is gone
	}
	if s.config.RequireKeys {
		select {
		case <-s.keys.Read():
			checks["keys"] = fine
		default:
			checks["keys"] = "not read yet"
		}
	}
	for _, check := range checks {
		if check != fine {
			return openapi.GetReadiness503JSONResponse{Status: openapi.HealthStatusUnavailable, Checks: &checks}, nil
		}
	}
	return openapi.GetReadiness200JSONResponse{Status: openapi.HealthStatusOk, Checks: &checks}, nil
}

// fine is a check's result when nothing is wrong.
const fine = "ok"

func (s *Service) checkNATS() string {
	if s.bus.Conn.IsConnected() {
		return fine
	}
	return "not connected"
}

func (s *Service) checkStatus(ctx context.Context) string {
	var page events.Page
	if err := s.ask(ctx, events.SubjectStatusList, events.List{Limit: 1}, &page); err != nil {
		return "does not answer"
	}
	return fine
}

// said is a check's result for everybody: no more than what is wrong.
func said(err error, what string) string {
	switch {
	case err == nil:
		return fine
	case errors.Is(err, bus.ErrNotSetUp):
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return what + " does not answer"
}

// GetOpenapi returns the description of the API.
func (s *Service) GetOpenapi(_ context.Context, r openapi.GetOpenapiRequestObject) (openapi.GetOpenapiResponseObject, error) {
	tag := etagOfBytes(openapi.Document)
	if tag.in(r.Params.IfNoneMatch) {
		return tag.notModified(), nil
	}
	return openapi.GetOpenapi200ApplicationYamlResponse{
		Body: bytes.NewReader(openapi.Document), ContentLength: int64(len(openapi.Document)),
		Headers: openapi.GetOpenapi200ResponseHeaders{ETag: string(tag)},
	}, nil
}
