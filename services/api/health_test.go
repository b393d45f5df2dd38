package api

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/services/api/openapi"
)

func TestHealth(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	e.expectReady(t, http.StatusServiceUnavailable, map[string]string{"nats": "ok", "queue": "ok", "status": "does not answer"})
	e.playStatus(t)
	e.expectReady(t, http.StatusOK, map[string]string{"nats": "ok", "queue": "ok", "status": "ok"})
	e.stopNATS(ctx, t)
	e.expectReady(t, http.StatusServiceUnavailable, map[string]string{
		"nats": "not connected", "queue": "the queue does not answer", "status": "does not answer",
	})
}

func TestReadinessNeedsTheStreams(t *testing.T) {
	for _, missing := range []struct{ stream, check, name string }{
		{bus.JobsStream, "queue", "stream JOBS"},
		{bus.EventsStream, "queue", "stream EVENTS"},
		{"KV_" + bus.DocumentsBucket, "status", "bucket jobs"},
	} {
		t.Run(missing.stream, func(t *testing.T) {
			e, ctx := newEnv(t), testenv.Context(t)
			e.playStatus(t)
			e.removeStream(ctx, t, missing.stream)
			checks := map[string]string{"nats": "ok", "queue": "ok", "status": "ok"}
			checks[missing.check] = "not set up: " + missing.name + " is missing; `sluice setup` makes it"
			e.expectReady(t, http.StatusServiceUnavailable, checks)
		})
	}
}

// expectReady checks the answer of /readyz, and that the process is alive in any case.
func (e *env) expectReady(t *testing.T, status int, checks map[string]string) {
	t.Helper()
	a := e.get(t, "/readyz")
	h := decoded[openapi.Health](t, a)
	if a.status != status || h.Checks == nil || !maps.Equal(*h.Checks, checks) {
		t.Errorf("answered %d %s, want %d %v", a.status, a.body, status, checks)
	}
	if a := e.get(t, "/healthz"); a.status != http.StatusOK || !strings.Contains(string(a.body), "ok") {
		t.Errorf("is not alive: %d %s", a.status, a.body)
	}
}
