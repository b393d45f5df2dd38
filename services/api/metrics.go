package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sluice/services/api/contract"
	"sluice/services/api/openapi"
)

// otherRequests is the route and the method of requests that ask for nothing there is: whoever makes names up makes no figures.
const otherRequests = "other"

// newRequestTimes returns how long requests took, by route, method and status; of a stream, how long it lasted. All APIs of a
// process count together.
func newRequestTimes() (*prometheus.HistogramVec, error) {
	times := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sluice_api_request_seconds", Help: "How long requests took; of a stream, how long it lasted.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"route", "method", "status"})
	err := prometheus.DefaultRegisterer.Register(times)
	if earlier, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if known, ok := earlier.ExistingCollector.(*prometheus.HistogramVec); ok {
			return known, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("registering the figures of requests: %w", err)
	}
	return times, nil
}

// measure tells of every request how it ended and how long it took.
func measure(all *contract.Contract, times *prometheus.HistogramVec) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			begun := time.Now()
			err := next(c)
			route, method, status := otherRequests, otherRequests, "gone"
			if o, ok := all.Of(c); ok {
				route, method = o.Template, o.Method
			}
			if c.Response().Committed {
				status = strconv.Itoa(c.Response().Status)
			}
			times.WithLabelValues(route, method, status).Observe(time.Since(begun).Seconds())
			return err
		}
	}
}

// figures are the answer to /metrics.
type figures struct{ request *http.Request }

// VisitGetMetricsResponse implements [openapi.GetMetricsResponseObject].
func (f figures) VisitGetMetricsResponse(w http.ResponseWriter) error {
	promhttp.HandlerFor(prometheus.DefaultGatherer, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(w, f.request)
	return nil
}

// GetMetrics tells the figures of this process, as its address for operators does.
func (s *Service) GetMetrics(ctx context.Context, _ openapi.GetMetricsRequestObject) (openapi.GetMetricsResponseObject, error) {
	plain, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil) // that accepts the usual format only
	if err != nil {
		return nil, fmt.Errorf("telling figures: %w", err)
	}
	return figures{plain}, nil
}
