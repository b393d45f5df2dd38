package api

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"sluice/pkg/bus"
	"sluice/services/api/access"
	"sluice/services/api/contract"
	"sluice/services/api/openapi"
	"sluice/services/api/rpc"
)

// maxBody bounds a request's body, but for that of an upload; jobs name files, they do not carry them.
const maxBody = "1M"

// uploadsPath is the route whose body is a file.
const uploadsPath = "/v1/uploads"

// routes registers what openapi.yaml describes, behind what every request passes through.
func (s *Service) routes(e *echo.Echo) {
	all, err := contract.Read()
	times, timesErr := newRequestTimes()
	if err = errors.Join(err, timesErr); err != nil { // both are parts of the program, and tested
		e.Use(func(echo.HandlerFunc) echo.HandlerFunc { return func(echo.Context) error { return err } })
		return
	}
	e.Use(headAsGet)
	e.Use(measure(all, times))
	e.Use(middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogMethod: true, LogURIPath: true, LogStatus: true, LogLatency: true, HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			s.config.Log.Log(c.Request().Context(), slog.LevelDebug, "request", // the path only: a query may hold what is not for logs
				"method", v.Method, "path", v.URIPath, "status", v.Status, "took", v.Latency)
			return nil
		},
	}))
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisablePrintStack: true,
		LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
			s.config.Log.Error("panic while answering a request", "err", err, "stack", string(stack))
			return errors.New("panic")
		},
	}))
	e.Use(s.readRest)
	e.Use(guardAnswers)
	e.Use(s.ownOnly)
	e.Use(access.Gate{Keys: s.keys, Now: func() time.Time { return s.now() }, Skipper: s.isOpen}.Middleware(e))
	e.Use(middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{Limit: maxBody, Skipper: uploads}))
	e.Use(s.upload)
	e.Use(lingers)
	e.Use(trace)
	e.Use(readForm)
	e.Use(accept)
	e.Use(joinETags)
	e.Use(all.Parameters())
	e.Binder = contract.Binder{Contract: all, Meaning: meaning}
	e.Pre(s.rpc(e))
	openapi.RegisterHandlers(withHead{e}, openapi.NewStrictHandler(s, nil))
}

// rpc answers typed calls, which are no routes: each becomes a request to rest.
func (s *Service) rpc(rest http.Handler) echo.MiddlewareFunc {
	calls := rpc.New(rest, s.config.Log)
	answer := s.ownOnly(func(c echo.Context) error {
		calls.ServeHTTP(c.Response(), c.Request())
		return nil
	})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if calls.Has(c.Request().URL.Path) {
				return answer(c)
			}
			return next(c)
		}
	}
}

// trace carries the caller's trace on, or starts one.
func trace(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.SetRequest(r.WithContext(bus.WithTrace(r.Context(), r.Header.Get("Traceparent"))))
		return next(c)
	}
}

// isOpen reports whether nobody is asked for a key.
func (s *Service) isOpen(echo.Context) bool { return !s.config.RequireKeys }
