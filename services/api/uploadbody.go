package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/services/api/refusal"
)

const (
	// paceBytes have to come within paceTime: a client that is slower is taken for stalled.
	paceBytes = 60 << 10
	paceTime  = 60 * time.Second
)

// uploads reports whether a request's body is a file.
func uploads(c echo.Context) bool {
	return c.Request().Method == http.MethodPost && c.Path() == uploadsPath
}

// upload lifts the server's limits for requests where the body is a file, and sets those for files. It ends the request when
// the API is being shut down.
func (s *Service) upload(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !uploads(c) {
			return next(c)
		}
		r := c.Request()
		if r.ContentLength > s.config.UploadBytes {
			return tooLarge(s.config.UploadBytes)
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		body := &uploadBody{
			ctx: ctx, body: r.Body, control: http.NewResponseController(c.Response()),
			limit: s.config.UploadBytes, pace: s.intake.pace, left: s.intake.pace,
		}
		defer context.AfterFunc(s.intake.ending, func() {
			cancel(errEnding)
			body.limitRead(time.Now())
		})()
		body.limitWrite(time.Time{})
		c.Response().Before(func() { body.limitWrite(time.Now().Add(writeTime)) })
		r = r.WithContext(ctx)
		r.Body = body
		c.SetRequest(r)
		return next(c)
	}
}

// uploadBody is the body of a request that uploads a file. It fails with a refusal when it is too large, when it stalls and when
// it breaks off.
type uploadBody struct {
	ctx     context.Context
	body    io.ReadCloser
	control *http.ResponseController
	limit   int64         // bytes that it may have
	pace    time.Duration // in which paceBytes have to come
	read    int64         // bytes

	paced int           // bytes that have come since the pace was met
	left  time.Duration // until it has to be met again; what is done with the bytes takes none of it
}

// Read implements [io.Reader].
func (b *uploadBody) Read(p []byte) (int, error) {
	begun := time.Now()
	b.limitRead(begun.Add(b.left))
	if b.ending() { // it may have come before the limit, which has replaced that of the end
		return 0, errEnding
	}
	n, err := b.body.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		b.limitRead(time.Time{}) // past it, HTTP/1 takes the client for gone and HTTP/2 ends the body, even if nothing is being read
	}
	b.read, b.paced, b.left = b.read+int64(n), b.paced+n, b.left-time.Since(begun)
	if b.paced >= paceBytes {
		b.paced, b.left = 0, b.pace
	}
	switch {
	case b.read > b.limit:
		return 0, tooLarge(b.limit)
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		return n, io.EOF
	case b.ending():
		return 0, errEnding
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, refusal.New(refusal.UploadIncomplete,
			fmt.Sprintf("less than %d bytes have come in %s, after %d bytes; nothing of the file is kept",
				paceBytes, b.pace, b.read)).Because(err)
	}
	return 0, refusal.New(refusal.UploadIncomplete,
		fmt.Sprintf("the body breaks off after %d bytes; nothing of the file is kept", b.read)).Because(err)
}

func (b *uploadBody) ending() bool { return errors.Is(context.Cause(b.ctx), errEnding) }

// Close implements [io.Closer].
func (b *uploadBody) Close() error { return b.body.Close() }

// limitRead and limitWrite fail only if the connection is closed, which reading then tells, or if there is none.
func (b *uploadBody) limitRead(at time.Time)  { _ = b.control.SetReadDeadline(at) }
func (b *uploadBody) limitWrite(at time.Time) { _ = b.control.SetWriteDeadline(at) }

func tooLarge(limit int64) *refusal.Error {
	return refusal.New(refusal.BodyTooLarge, fmt.Sprintf("a file that is uploaded may have %d bytes, with what a form puts around it", limit))
}
