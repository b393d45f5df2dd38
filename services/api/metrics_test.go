package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// counted reads from /metrics how many requests there were with these labels.
func (e *env) counted(t testing.TB, route, method, status string) int {
	t.Helper()
	a := e.get(t, "/metrics")
	if a.status != http.StatusOK {
		t.Fatalf("answered %d %s", a.status, a.body)
	}
	line := `(?m)^` + regexp.QuoteMeta(fmt.Sprintf(`sluice_api_request_seconds_count{method=%q,route=%q,status=%q}`, method, route, status)) + ` (\d+)$`
	found := regexp.MustCompile(line).FindSubmatch(a.body)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRequestsAreCounted(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	for _, tt := range []struct{ method, target, route, counted, status string }{
		{http.MethodGet, "/v1/jobs/x", "/v1/jobs/{id}", "GET", "404"},
		{http.MethodHead, "/v1/jobs/x", "/v1/jobs/{id}", "GET", "404"},
		{http.MethodGet, "/v1/jobs?limit=0", "/v1/jobs", "GET", "400"},
		{http.MethodGet, "/healthz", "/healthz", "GET", "200"},
		{http.MethodGet, "/nowhere/secret", "other", "other", "404"},
		{"INVENTED", "/v1/jobs", "other", "other", "405"},
	} {
		before := e.counted(t, tt.route, tt.counted, tt.status)
		e.call(t, tt.method, tt.target, "")
		if after := e.counted(t, tt.route, tt.counted, tt.status); after != before+1 {
			t.Errorf("%s %s: counted %d, then %d", tt.method, tt.target, before, after)
		}
	}
	text := string(e.get(t, "/metrics").body)
	for _, raw := range []string{"secret", "jobs/x", "INVENTED"} {
		if strings.Contains(text, raw) {
			t.Errorf("a figure has the label %s, of which there are as many as callers like", raw)
		}
	}
	if !strings.Contains(text, "go_goroutines") {
		t.Error("the figures of the process are missing")
	}
}
