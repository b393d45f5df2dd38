package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// CreateJob has a file loaded. With an idempotency key, 1 to 255 printable ASCII characters, the request may be repeated: the
// answer is then the job that the first one made.
func (c *Client) CreateJob(ctx context.Context, request JobRequest, idempotencyKey string) (Answer[Job], error) {
	body, err := json.Marshal(request)
	if err != nil {
		return Answer[Job]{}, fmt.Errorf("encoding a request: %w", err)
	}
	return c.CreateJobJSON(ctx, body, idempotencyKey)
}

// CreateJobJSON is [Client.CreateJob] with a request that is written already.
func (c *Client) CreateJobJSON(ctx context.Context, request []byte, idempotencyKey string) (Answer[Job], error) {
	params := CreateJobParams{IdempotencyKey: optional(idempotencyKey)}
	return answer[Job](c.calls.CreateJobWithBody(ctx, &params, jsonType, bytes.NewReader(request)))
}

// Jobs lists a page of jobs, the newest first.
func (c *Client) Jobs(ctx context.Context, params ListJobsParams) (Answer[JobList], error) {
	return answer[JobList](c.calls.ListJobs(ctx, &params))
}

// Job tells how a job stands.
func (c *Client) Job(ctx context.Context, id string) (Answer[Job], error) {
	return answer[Job](c.calls.GetJob(ctx, id, nil))
}

// CancelJob cancels a job. It is cancelled by then, or cancelling until its worker has confirmed that.
func (c *Client) CancelJob(ctx context.Context, id string) (Answer[Job], error) {
	return answer[Job](c.calls.CancelJob(ctx, id))
}

// RetryJob runs a job again that has failed or was cancelled.
func (c *Client) RetryJob(ctx context.Context, id string) (Answer[Job], error) {
	return answer[Job](c.calls.RetryJob(ctx, id))
}

// Result tells what a job has made.
func (c *Client) Result(ctx context.Context, id string) (Answer[JobResult], error) {
	return answer[JobResult](c.calls.GetJobResult(ctx, id, nil))
}

// Rejects lists a page of the rows that a job has left out.
func (c *Client) Rejects(ctx context.Context, id string, params GetJobRejectsParams) (Answer[RejectList], error) {
	return answer[RejectList](c.calls.GetJobRejects(ctx, id, &params, accepting(jsonType)))
}

// RejectsCSV is all rows that a job has left out, as CSV with a header. The caller closes it.
func (c *Client) RejectsCSV(ctx context.Context, id string, params GetJobRejectsParams) (io.ReadCloser, error) {
	r, err := c.calls.GetJobRejects(ctx, id, &params, accepting(csvType))
	return stream(r, err, csvType)
}

// Preview tells how a file would be read, without loading it.
func (c *Client) Preview(ctx context.Context, request PreviewRequest) (Answer[Preview], error) {
	return answer[Preview](c.calls.CreatePreview(ctx, request))
}

// PreviewJSON is [Client.Preview] with a request that is written already.
func (c *Client) PreviewJSON(ctx context.Context, request []byte) (Answer[Preview], error) {
	return answer[Preview](c.calls.CreatePreviewWithBody(ctx, jsonType, bytes.NewReader(request)))
}

// await asks how a job stands, and lets the answer take as long as wait says unless it is another one than that which the tag
// names. It returns false if it is not.
func (c *Client) await(ctx context.Context, id, tag, wait string) (Answer[Job], bool, error) {
	r, err := c.calls.GetJob(ctx, id, &GetJobParams{IfNoneMatch: optional(tag), Wait: optional(wait)})
	if err == nil && r.StatusCode == http.StatusNotModified {
		return Answer[Job]{}, false, r.Body.Close()
	}
	a, err := answer[Job](r, err)
	return a, err == nil, err
}

// optional is nil for an empty text, which asks for nothing.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
