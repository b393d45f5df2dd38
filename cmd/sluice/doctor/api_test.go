package doctor

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sluice/pkg/client"
)

// healthy is what an API answers where all is well.
var healthy = map[string]string{
	"/healthz":    `{"status":"ok","version":"v1"}`,
	"/readyz":     `{"status":"ok","checks":{"nats":"ok","queue":"ok"}}`,
	"/v1/queue":   `{"depth":{"urgent":1,"normal":2},"running":3,"retrying":0,"cancelling":0,"workers":1,"slots":2}`,
	"/v1/jobs":    `{"jobs":[],"totals":{}}`,
	"/v1/workers": `{"workers":[{"name":"a","version":"v1","slots":2,"jobs":["j"]}]}`,
}

func TestAPI(t *testing.T) {
	const waiting = `{"jobs":[{"id":"j1","state":"queued","created_at":"2026-11-30T08:00:00Z"}],"totals":{}}`
	for name, c := range map[string]struct {
		path, answer string // other than where all is well
		want         State
		says         string
	}{
		"all is well":        {"", "", OK, "queue ok 1 urgent and 2 normal wait, 3 running, 0 retrying, 0 cancelling"},
		"workers":            {"", "", OK, "ingesters ok 1 of version v1; 1 of 2 slots in use"},
		"another version":    {"/healthz", `{"status":"ok","version":"v2"}`, Warning, "API warning http"},
		"not ready":          {"/readyz", `{"status":"unavailable","checks":{"nats":"not connected"}}`, Failed, "API: nats failed not connected"},
		"no keys":            {"/readyz", `{"status":"unavailable","checks":{"keys":"not read yet"}}`, Failed, "API: keys failed not read yet"},
		"no workers":         {"/v1/workers", `{"workers":[]}`, Failed, "ingesters failed none answers"},
		"other workers":      {"/v1/workers", `{"workers":[{"version":"v1"},{"version":"v0"}]}`, Warning, "1 of version v0, 1 of version v1"},
		"a job waits":        {"/v1/jobs", waiting, Warning, "waiting jobs warning job j1 waits since"},
		"not asked for":      {"", "", OK, "Postgres skipped none is named"},
		"none to ask":        {"/healthz", "", Failed, "ingesters skipped the API does not answer"},
		"no answer of jobs":  {"/v1/jobs", "", Failed, "waiting jobs failed"},
		"no answer of queue": {"/v1/queue", "", Failed, "queue failed"},
		"none at all":        {"/healthz", "", Failed, "API failed"},
	} {
		t.Run(name, func(t *testing.T) {
			answers := maps.Clone(healthy)
			if c.path != "" {
				answers[c.path] = c.answer
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, answers[r.URL.Path])
			}))
			defer server.Close()
			api, err := client.New(server.URL, client.Config{})
			if err != nil {
				t.Fatal(err)
			}
			r := Examine(t.Context(), Patient{API: api, Version: "v1"})
			var lines []string
			for _, check := range r.Checks {
				lines = append(lines, check.Name+" "+string(check.State)+" "+check.Detail)
				if (check.State == OK || check.State == Skipped) != (check.Advice == "") {
					t.Errorf("%s is %s with the advice %q", check.Name, check.State, check.Advice)
				}
			}
			if r.State != c.want || !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, c.says) }) {
				t.Errorf("it is %s:\n%s", r.State, strings.Join(lines, "\n"))
			}
		})
	}
}

// TestKeyWanted holds that it says where a key goes that the API wants.
func TestKeyWanted(t *testing.T) {
	for status, scope := range map[int]bool{http.StatusUnauthorized: false, http.StatusForbidden: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/") {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"title":"No","code":"no"}`)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, healthy[r.URL.Path])
		}))
		defer server.Close()
		api, err := client.New(server.URL, client.Config{})
		if err != nil {
			t.Fatal(err)
		}
		r := Examine(t.Context(), Patient{API: api, Version: "v1"})
		states := map[string]State{}
		for _, check := range r.Checks {
			states[check.Name] = check.State
			if check.Name == "API key" && (!strings.Contains(check.Advice, "SLUICE_API_KEY; sluice admin keys create") ||
				strings.Contains(check.Advice, "scope") != scope) {
				t.Errorf("for %d it advises %q", status, check.Advice)
			}
		}
		if states["API key"] != Failed || states["queue"] != Skipped || states["waiting jobs"] != Skipped || states["ingesters"] != Skipped {
			t.Errorf("for %d it says %v", status, r.Checks)
		}
	}
}

func TestLimited(t *testing.T) {
	for part, want := range map[float64]State{0: OK, 0.79: OK, 0.8: Warning, 0.94: Warning, 0.95: Failed, 1.2: Failed} {
		if got := limited(well("x", "y"), part, "z").State; got != want {
			t.Errorf("%g used is %s, want %s", part, got, want)
		}
	}
}

func TestDisk(t *testing.T) {
	checks := checkDisk(context.Background(), Patient{DataDir: t.TempDir() + "/missing"})
	if len(checks) != 1 || checks[0].State != Skipped {
		t.Errorf("of no folder it says %v", checks)
	}
	checks = checkDisk(context.Background(), Patient{DataDir: t.TempDir()})
	if len(checks) != 1 || !strings.Contains(checks[0].Detail, "B free for ") {
		t.Errorf("it says %v", checks)
	}
}
