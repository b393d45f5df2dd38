package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// withHead registers HEAD beside each GET (RFC 9110, section 9.1).
type withHead struct{ *echo.Echo }

// GET registers a handler for both.
func (r withHead) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	r.HEAD(path, h, m...)
	return r.Echo.GET(path, h, m...)
}

// headAsGet answers HEAD as GET, but for the body: a stream ends at its first byte.
func headAsGet(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r := c.Request(); r.Method == http.MethodHead {
			r = r.WithContext(r.Context()) // the server's own stays as it was
			r.Method = http.MethodGet
			c.SetRequest(r)
			c.Response().Writer = headOnly{c.Response().Writer}
		}
		return next(c)
	}
}

// headOnly sends no body.
type headOnly struct{ http.ResponseWriter }

// Write implements [io.Writer], and fails.
func (headOnly) Write([]byte) (int, error) { return 0, http.ErrBodyNotAllowed }

// Unwrap is for [http.ResponseController].
func (h headOnly) Unwrap() http.ResponseWriter { return h.ResponseWriter }
