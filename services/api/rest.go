package api

import (
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// maxRest is how much of a body is read that nobody wants.
	maxRest = 16 << 20
	// restTime bounds how long that may take.
	restTime = 5 * time.Second
)

// readRest reads what is left of a refused request's body, within limits: a client that is still sending it might never see the
// answer, since the connection is closed on it. What waits for leave to send (100-continue) is told no at once.
func (s *Service) readRest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		body := r.Body
		err := next(c)
		if err == nil || uploads(c) || r.ProtoMajor != 1 || r.ContentLength > maxRest || r.Header.Get("Expect") != "" {
			return err
		}
		_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(s.restTime)) // fails only without a connection
		_, _ = io.CopyN(io.Discard, body, maxRest)                                               // what is not read is not needed
		return err
	}
}
