package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// headAsGet answers HEAD wherever there is a GET, as GET but for the body (RFC 9110, section 9.3.2), and says so in the header
// Allow. A stream ends at its first byte.
func headAsGet(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Before(func() {
			header := c.Response().Header()
			if allowed := header.Get(echo.HeaderAllow); hasMethod(allowed, http.MethodGet) && !hasMethod(allowed, http.MethodHead) {
				header.Set(echo.HeaderAllow, allowed+", "+http.MethodHead)
			}
		})
		if r := c.Request(); r.Method == http.MethodHead {
			r = r.WithContext(r.Context()) // the server's own stays as it was
			r.Method = http.MethodGet
			c.SetRequest(r)
			c.Response().Writer = headOnly{c.Response().Writer}
		}
		return next(c)
	}
}

func hasMethod(allowed, method string) bool {
	for m := range strings.SplitSeq(allowed, ",") {
		if strings.TrimSpace(m) == method {
			return true
		}
	}
	return false
}

// headOnly sends no body.
type headOnly struct{ http.ResponseWriter }

// Write implements [io.Writer], and fails.
func (headOnly) Write([]byte) (int, error) { return 0, http.ErrBodyNotAllowed }

// Unwrap is for [http.ResponseController].
func (h headOnly) Unwrap() http.ResponseWriter { return h.ResponseWriter }
