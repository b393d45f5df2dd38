package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// writeTime bounds how long a client may take to make room for what it is sent.
const writeTime = 10 * time.Second

// client is whom a stream is sent to.
type client struct {
	ctx     context.Context
	w       http.ResponseWriter
	control *http.ResponseController
	release func()

	mu sync.Mutex
	// sending is true until what is being sent has been sent. Past the limit of a write HTTP/2 ends a stream even if nothing is being
	// sent, so that there is one only then.
	sending bool
}

// newClient begins an answer, whose media type is set, that lasts longer than the server's limits for requests. When ctx ends,
// what is being sent is broken off.
func newClient(ctx context.Context, w http.ResponseWriter) (*client, error) {
	c := &client{ctx: ctx, w: w, control: http.NewResponseController(w)}
	if err := c.control.SetReadDeadline(time.Time{}); err != nil { // past it, the server would take the client for gone
		return nil, fmt.Errorf("lifting the limit of a request: %w", err)
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cut)
		c.cut()
	})
	c.release = func() {
		if !stop() {
			<-cut // or else it would meet the connection's next request
		}
	}
	w.Header().Set(echo.HeaderCacheControl, "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return c, nil
}

// cut breaks off what is being sent.
func (c *client) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sending {
		_ = c.control.SetWriteDeadline(time.Now()) // fails only if the connection is closed
	}
}

// limit begins to send, with a limit, or lifts it.
func (c *client) limit(sending bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := time.Time{}
	if sending {
		if c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		until = time.Now().Add(writeTime)
	}
	c.sending = sending
	if err := c.control.SetWriteDeadline(until); err != nil {
		return fmt.Errorf("limiting a write: %w", err)
	}
	return nil
}

// send sends data at once.
func (c *client) send(data []byte) error {
	if err := c.limit(true); err != nil {
		return err
	}
	if _, err := c.w.Write(data); err != nil {
		return fmt.Errorf("sending a stream: %w", err)
	}
	if err := c.control.Flush(); err != nil {
		return fmt.Errorf("sending a stream: %w", err)
	}
	return c.limit(false)
}

// close leaves the connection to the server, which has the end of the answer to send, unless a part of it was broken off. The limit
// is no shorter than that of a write: it also runs while the handler ends, for which a busy machine may take seconds.
func (c *client) close() {
	c.release()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.sending {
		_ = c.control.SetWriteDeadline(time.Now().Add(writeTime)) // fails only if the connection is closed
	}
}

// abort breaks the answer off where it is, so that nobody takes it for complete.
func (c *client) abort() {
	c.release()
	panic(http.ErrAbortHandler) //nolint:forbidigo // the way in which net/http is told so
}
