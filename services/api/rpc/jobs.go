package rpc

import (
	"context"

	"connectrpc.com/connect"

	sluicev1 "sluice/pkg/proto/sluice/v1"
)

// jobs implements [sluicev1connect.JobServiceHandler].
type jobs struct{ *Handler }

// CreateJob is POST /v1/jobs.
func (j jobs) CreateJob(ctx context.Context, m *sluicev1.CreateJobRequest) (*sluicev1.CreateJobResponse, error) {
	return call(ctx, j.Handler, m, &sluicev1.CreateJobResponse{})
}

// GetJob is GET /v1/jobs/{id}.
func (j jobs) GetJob(ctx context.Context, m *sluicev1.GetJobRequest) (*sluicev1.GetJobResponse, error) {
	return call(ctx, j.Handler, m, &sluicev1.GetJobResponse{})
}

// ListJobs is GET /v1/jobs.
func (j jobs) ListJobs(ctx context.Context, m *sluicev1.ListJobsRequest) (*sluicev1.ListJobsResponse, error) {
	return call(ctx, j.Handler, m, &sluicev1.ListJobsResponse{})
}

// CancelJob is POST /v1/jobs/{id}/cancel.
func (j jobs) CancelJob(ctx context.Context, m *sluicev1.CancelJobRequest) (*sluicev1.CancelJobResponse, error) {
	return call(ctx, j.Handler, m, &sluicev1.CancelJobResponse{})
}

// RetryJob is POST /v1/jobs/{id}/retry.
func (j jobs) RetryJob(ctx context.Context, m *sluicev1.RetryJobRequest) (*sluicev1.RetryJobResponse, error) {
	return call(ctx, j.Handler, m, &sluicev1.RetryJobResponse{})
}

// WatchJob is GET /v1/jobs/{id}/events as a stream.
func (j jobs) WatchJob(ctx context.Context, m *sluicev1.WatchJobRequest, to *connect.ServerStream[sluicev1.WatchJobResponse]) error {
	return j.watch(ctx, &sluicev1.WatchJobRequest{Id: m.GetId()}, m.AfterSequence, func(sequence int64, e *sluicev1.Event) error {
		return to.Send(&sluicev1.WatchJobResponse{Sequence: sequence, Event: e})
	})
}

// WatchJobs is GET /v1/events.
func (j jobs) WatchJobs(ctx context.Context, m *sluicev1.WatchJobsRequest, to *connect.ServerStream[sluicev1.WatchJobsResponse]) error {
	return j.watch(ctx, &sluicev1.WatchJobsRequest{}, m.AfterSequence, func(sequence int64, e *sluicev1.Event) error {
		return to.Send(&sluicev1.WatchJobsResponse{Sequence: sequence, Event: e})
	})
}
