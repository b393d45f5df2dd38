package client

import (
	"context"
	"io"
	"net/http"
)

// Upload stores a file that is read from body, for a job that names it. Its size in bytes is -1 if it is not known. The name gives
// a table its name that is not said, and may be empty.
func (c *Client) Upload(ctx context.Context, name string, body io.Reader, size int64) (Answer[Upload], error) {
	params := CreateUploadParams{Filename: optional(name)}
	sized := func(_ context.Context, r *http.Request) error {
		r.ContentLength = size
		return nil
	}
	// Nothing but that: not the file's Close, which a request would call.
	return answer[Upload](c.calls.CreateUploadWithBody(ctx, &params, "application/octet-stream", io.NopCloser(body), sized))
}
