package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
	"sluice/services/api/refusal"
)

// counted reads from /metrics, with a key where one is asked for, how many requests there were with these labels.
func (e *env) counted(t testing.TB, route, method, status string, headers ...string) int {
	t.Helper()
	a := e.call(t, http.MethodGet, "/metrics", "", headers...)
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

// TestRefusedCallersAreCounted holds that who is refused for a key is counted as what was asked for, be it by a typed call.
func TestRefusedCallersAreCounted(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	reader, once := good(), good()
	reader.Scopes, once.RequestsPerMinute = []apikey.Scope{apikey.Read}, 1
	_, isReader := e.newKey(t, reader)
	_, isSpent := e.newKey(t, once)
	if a := e.call(t, http.MethodGet, "/v1/jobs", "", isSpent); a.status != http.StatusOK {
		t.Fatalf("the first request is answered %d %s", a.status, a.body)
	}
	call := func(method, target string, headers ...string) func() {
		return func() { e.call(t, method, target, "", headers...) }
	}
	for name, tt := range map[string]struct {
		call                   func()
		route, counted, status string
	}{
		"no key":           {call(http.MethodGet, "/v1/jobs"), "/v1/jobs", "GET", "401"},
		"a bad key":        {call(http.MethodPost, "/v1/jobs", isBearer+"secret"), "/v1/jobs", "POST", "401"},
		"HEAD":             {call(http.MethodHead, "/v1/jobs/secret"), "/v1/jobs/{id}", "GET", "401"},
		"figures":          {call(http.MethodGet, "/metrics"), "/metrics", "GET", "401"},
		"no such route":    {call(http.MethodGet, "/secret"), "other", "other", "404"},
		"a scope too few":  {call(http.MethodPost, "/v1/jobs", isReader), "/v1/jobs", "POST", "403"},
		"no right to drop": {call(http.MethodDelete, "/v1/datasets/secret", isReader), "/v1/datasets/{table}", "DELETE", "403"},
		"too many":         {call(http.MethodGet, "/v1/jobs", isSpent), "/v1/jobs", "GET", "429"},
		"a typed call": {func() {
			drops := sluicev1connect.NewDatasetServiceClient(http.DefaultClient, e.url)
			_, err := drops.DeleteDataset(testenv.Context(t), &sluicev1.DeleteDatasetRequest{Table: "secret"})
			failed(t, err, refusal.Unauthenticated)
		}, "/v1/datasets/{table}", "DELETE", "401"},
	} {
		before := e.counted(t, tt.route, tt.counted, tt.status, header)
		tt.call()
		if after := e.counted(t, tt.route, tt.counted, tt.status, header); after != before+1 {
			t.Errorf("%s: counted %d, then %d", name, before, after)
		}
	}
	if text := string(e.call(t, http.MethodGet, "/metrics", "", header).body); strings.Contains(text, "secret") {
		t.Error("a figure has a label of which there are as many as callers like")
	}
}
