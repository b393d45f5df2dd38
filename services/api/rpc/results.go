package rpc

import (
	"context"

	sluicev1 "sluice/pkg/proto/sluice/v1"
)

// results implements [sluicev1connect.ResultServiceHandler].
type results struct{ *Handler }

// GetJobResult is GET /v1/jobs/{id}/result.
func (r results) GetJobResult(ctx context.Context, m *sluicev1.GetJobResultRequest) (*sluicev1.GetJobResultResponse, error) {
	return call(ctx, r.Handler, m, &sluicev1.GetJobResultResponse{})
}

// ListRejects is GET /v1/jobs/{id}/rejects.
func (r results) ListRejects(ctx context.Context, m *sluicev1.ListRejectsRequest) (*sluicev1.ListRejectsResponse, error) {
	return call(ctx, r.Handler, m, &sluicev1.ListRejectsResponse{})
}
