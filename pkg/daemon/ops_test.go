package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOps(t *testing.T) {
	notReady := errors.New("NATS is away")
	for _, tt := range []struct {
		path   string
		ready  error
		status int
		says   string
	}{
		{"/healthz", nil, 200, `"ok"`},
		{"/healthz", notReady, 200, `"ok"`},
		{"/readyz", nil, 200, `"ok"`},
		{"/readyz", notReady, 503, "NATS is away"},
		{"/metrics", notReady, 200, "go_goroutines"},
		{"/nothing", nil, 404, ""},
	} {
		o := Ops{Ready: func(context.Context) error { return tt.ready }, Log: slog.New(slog.DiscardHandler)}
		w := httptest.NewRecorder()
		o.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s while %v: %d %s", tt.path, tt.ready, w.Code, w.Body)
		}
	}
}
