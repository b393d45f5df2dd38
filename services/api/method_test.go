package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

// TestHeadIsGetWithoutBody holds that HEAD is answered as GET is, wherever there is a GET.
func TestHeadIsGetWithoutBody(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	id := e.create(t, example).ID
	status.tell(lives(id)["succeeded"])
	for _, target := range []string{
		"/healthz", "/readyz", "/openapi.yaml", "/docs", "/docs/start.js", "/metrics", "/v1/jobs", "/v1/jobs/" + id, "/v1/jobs/" + id + "/result",
		"/v1/jobs/" + id + "/events", "/job_status?jobId=" + id, "/v1/jobs/x", "/v1/jobs?limit=0", "/nowhere",
	} {
		get, head := e.get(t, target), e.call(t, http.MethodHead, target, "")
		if head.status != get.status || len(head.body) != 0 || head.header.Get("ETag") != get.header.Get("ETag") ||
			head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: GET answers %d %v, HEAD %d %v with %d bytes", target, get.status, get.header, head.status, head.header, len(head.body))
		}
	}
}

// TestHeadOfAStreamEnds holds that who asks only for the header is not kept waiting for events.
func TestHeadOfAStreamEnds(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	r := e.run(t, time.Minute)
	e.url = "http://" + r.listener.Addr().String()
	id := e.create(t, example).ID
	status.tell(events.Status{ID: id, State: events.StateRunning, Run: 1, Attempt: 1})
	for _, target := range []string{"/v1/events", "/v1/jobs/" + id + "/events"} {
		a := e.call(t, http.MethodHead, target, "", isStream)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != eventStream {
			t.Errorf("%s: answered %d %v", target, a.status, a.header)
		}
	}
}

// TestMethods holds that a method that a path does not have is refused with those that it has, and that OPTIONS lists them.
func TestMethods(t *testing.T) {
	e := newEnv(t)
	for target, want := range map[string]string{
		"/v1/jobs": "GET HEAD OPTIONS POST", "/v1/jobs/x": "DELETE GET HEAD OPTIONS", "/v1/uploads": "OPTIONS POST",
		"/v1/jobs/x/cancel": "OPTIONS POST", "/download_file": "OPTIONS POST", "/docs/x": "GET HEAD OPTIONS", "/v1/datasets/t": "DELETE GET HEAD OPTIONS",
	} {
		for _, method := range []string{http.MethodPut, http.MethodPatch, "INVENTED", http.MethodOptions} {
			a := e.call(t, method, target, "")
			if method != http.MethodOptions {
				refused(t, a, refusal.MethodNotAllowed)
			}
			if got := strings.Join(sorted(a.header.Get("Allow")), " "); got != want {
				t.Errorf("%s %s: allowed is %s, want %s", method, target, got, want)
			}
		}
	}
	if a := e.call(t, http.MethodHead, "/v1/uploads", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD where there is no GET: %d", a.status)
	}
}

func sorted(list string) []string {
	names := strings.Split(strings.ReplaceAll(list, " ", ""), ",")
	slices.Sort(names)
	return names
}
