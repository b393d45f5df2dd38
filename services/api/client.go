package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// writeTime bounds how long a client may take to make room for what it is sent.
	writeTime = 10 * time.Second
	// farewellTime bounds how long the end of a stream may take to be sent.
	farewellTime = time.Second
)

// client is whom a stream is sent to.
type client struct {
	ctx     context.Context
	w       http.ResponseWriter
	control *http.ResponseController
	release func()
}

// newClient prepares an answer that lasts longer than the server's limits for requests. When ctx ends, what is being sent
// is broken off.
func newClient(ctx context.Context, w http.ResponseWriter) (*client, error) {
	c := &client{ctx: ctx, w: w, control: http.NewResponseController(w)}
	if err := c.control.SetReadDeadline(time.Time{}); err != nil { // past it, the server would take the client for gone
		return nil, fmt.Errorf("lifting the limit of a request: %w", err)
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cut)
		_ = c.control.SetWriteDeadline(time.Now()) // fails only if the connection is closed
	})
	c.release = func() {
		if !stop() {
			<-cut // or else it would meet the connection's next request
		}
	}
	w.Header().Set(echo.HeaderContentType, eventStream)
	w.Header().Set(echo.HeaderCacheControl, "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return c, nil
}

// send sends data at once.
func (c *client) send(data []byte) error {
	if err := c.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return fmt.Errorf("limiting a write: %w", err)
	}
	if c.ctx.Err() != nil { // its end may have come before the limit, which has replaced that of the end
		return c.ctx.Err()
	}
	if _, err := c.w.Write(data); err != nil {
		return fmt.Errorf("sending events: %w", err)
	}
	if err := c.control.Flush(); err != nil {
		return fmt.Errorf("sending events: %w", err)
	}
	return c.unlimited()
}

// unlimited lets time pass until there is more to send: past its limit, HTTP/2 ends a stream even if nothing is being sent.
func (c *client) unlimited() error {
	if err := c.control.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("lifting the limit of a write: %w", err)
	}
	return nil
}

// close leaves the connection to the server, which has the end of the answer to send.
func (c *client) close() {
	c.release()
	_ = c.control.SetWriteDeadline(time.Now().Add(farewellTime)) // fails only if the connection is closed
}
