package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
	"sluice/pkg/events"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
	"sluice/services/api/contract"
	"sluice/services/api/refusal"
)

// TestOWASP walks the OWASP API Security Top 10 of 2023, and holds of each row what applies here.
func TestOWASP(t *testing.T) {
	for name, row := range map[string]func(*testing.T){
		"API1 object level authorization":   owaspObjects,
		"API2 authentication":               owaspAuthentication,
		"API3 object property level":        owaspProperties,
		"API4 resource consumption":         owaspResources,
		"API5 function level authorization": owaspFunctions,
		"API6 sensitive business flows":     owaspFlows,
		"API7 server side request forgery":  owaspForgery,
		"API8 security misconfiguration":    owaspConfiguration,
		"API9 inventory management":         owaspInventory,
		"API10 consumption of other APIs":   owaspOthers,
	} {
		t.Run(name, row)
	}
}

// There is one tenant, whose keys all see all jobs: what has to hold is that an id means one job, and no pattern or path means others.
func owaspObjects(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	job := e.create(t, example, header)
	for _, id := range []string{"*", ">", job.ID + ".>", job.ID[:35] + "*", job.ID + "x", strings.ReplaceAll(job.ID, "-", ""), "{" + job.ID + "}", "..", "1"} {
		for _, call := range []struct{ method, suffix string }{
			{http.MethodGet, ""}, {http.MethodDelete, ""}, {http.MethodGet, "/events"}, {http.MethodGet, "/result"}, {http.MethodPost, "/retry"},
		} {
			if a := e.call(t, call.method, "/v1/jobs/"+url.PathEscape(id)+call.suffix, "", header); a.status != http.StatusNotFound {
				t.Errorf("%s %s%s: %d %s", call.method, id, call.suffix, a.status, a.body)
			}
		}
	}
}

// Keys come in one header and nowhere else, where they would be logged or sent by browsers; typed calls ask for them, too.
func owaspAuthentication(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	text := strings.TrimPrefix(header, isBearer)
	refused(t, e.get(t, "/v1/jobs?access_token="+text+"&api_key="+text+"&key="+text), refusal.Unauthenticated)
	for _, other := range []string{"Cookie: key=" + text, "X-Api-Key: " + text, "Proxy-Authorization: Bearer " + text, "Apikey: " + text} {
		refused(t, e.call(t, http.MethodGet, "/v1/jobs", "", other), refusal.Unauthenticated)
	}
	refused(t, e.call(t, http.MethodPost, "/download_file", "fileUrl="+exampleURL+"&access_token="+text, isForm), refusal.Unauthenticated)
	jobs := sluicev1connect.NewJobServiceClient(http.DefaultClient, e.url)
	if _, err := jobs.CreateJob(testenv.Context(t), byURL(exampleURL)); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a typed call without a key: %v", err)
	}
	e.expectStored(t, 0)
}

// What a caller may not set is refused by name, and what nobody is to see is in no answer.
func owaspProperties(t *testing.T) {
	e, _ := newKeyedEnv(t)
	k, header := e.newKey(t, good())
	for _, field := range []string{"submitter", "id", "state", "created_at", "request_hash", "sealed", "run"} {
		p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+exampleURL+`","`+field+`":"x"}`, header, isJSON), refusal.InvalidRequest)
		if p.Errors == nil || (*p.Errors)[0].Pointer != "/"+field {
			t.Errorf("%s: %+v", field, p)
		}
	}
	job := e.create(t, `{"url":"http://me:hush@localhost/x.csv?token=hush","headers":{"X-Secret":"hush"}}`, header)
	for _, target := range []string{job.Links.Self, job.Links.Events, "/v1/jobs"} {
		a := e.call(t, http.MethodGet, target, "", header)
		for _, hidden := range []string{"hush", "X-Secret", k.ID, k.Hash, "submitter", "request_hash", "sealed"} {
			if strings.Contains(string(a.body), hidden) {
				t.Errorf("%s tells %s: %s", target, hidden, a.body)
			}
		}
	}
}

// Bodies, pages, depth and requests are limited; who has no key does not even get a body read.
func owaspResources(t *testing.T) {
	e, _ := newKeyedEnv(t)
	e.api.now = func() time.Time { return noon }
	limited := good()
	limited.RequestsPerMinute = 5
	_, header := e.newKey(t, limited)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+strings.Repeat("x", 2<<20)+`"}`, header, isJSON), refusal.BodyTooLarge)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", strings.Repeat("[", 100_000), header, isJSON), refusal.InvalidRequest)
	for _, query := range []string{"limit=1001", "limit=0", "cursor=" + strings.Repeat("x", 2000)} {
		refused(t, e.call(t, http.MethodGet, "/v1/jobs?"+query, "", header), refusal.InvalidRequest)
	}
	refused(t, e.call(t, http.MethodGet, "/v1/jobs", "", header), refusal.RateLimited)

	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/v1/uploads", unread{t})
	w := httptest.NewRecorder()
	e.api.Handler().ServeHTTP(w, r)
	refused(t, answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}, refusal.Unauthenticated)
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, http.ErrBodyReadAfterClose
}

// TestEveryOperationAsksForItsScope goes through all operations; here is that no detour leads around a scope.
func owaspFunctions(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, apikey.Key{Name: "reader", Scopes: []apikey.Scope{apikey.Read}, CreatedAt: noon})
	for _, override := range []string{"X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE"} {
		if a := e.call(t, http.MethodPost, "/v1/datasets/x?_method=DELETE", "", header, override); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", override, a.status, a.body)
		}
	}
	for _, target := range []string{"/v1/datasets/x", "/v1/datasets/x?schema=public", "/v1/datasets/%78"} {
		refused(t, e.call(t, http.MethodDelete, target, "", header), refusal.ScopeMissing)
	}
	for _, target := range []string{"//v1/jobs", "/v1//jobs", "/v1/./jobs", "/V1/JOBS", "/v1/jobs/", "/v1/x/../jobs"} {
		if a := e.call(t, http.MethodPost, target, example, header, isJSON); a.status < http.StatusMovedPermanently {
			t.Errorf("POST %s: %d %s", target, a.status, a.body)
		}
	}
	client := sluicev1connect.NewJobServiceClient(http.DefaultClient, e.url)
	ctx, call := connect.NewClientContext(testenv.Context(t))
	call.RequestHeader().Set("Authorization", strings.TrimPrefix(header, "Authorization: "))
	if _, err := client.CreateJob(ctx, byURL(exampleURL)); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("a typed call without the scope: %v", err)
	}
	if _, err := client.ListJobs(ctx, &sluicev1.ListJobsRequest{}); err != nil {
		t.Errorf("a typed call with the scope: %v", err)
	}
	head, err := http.Head(e.url + "/v1/jobs")
	if err != nil {
		t.Fatal(err)
	}
	if _ = head.Body.Close(); head.StatusCode != http.StatusUnauthorized {
		t.Errorf("HEAD without a key is answered with %s", head.Status)
	}
	e.expectStored(t, 0)
}

// The flow that can be abused is creating jobs: one key cannot fill the queue for all others.
func owaspFlows(t *testing.T) {
	e, _ := newKeyedEnv(t)
	limited := good()
	limited.QueuedJobs = 1
	_, header := e.newKey(t, limited)
	_, other := e.newKey(t, good())
	e.create(t, example, header)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", example, header, isJSON), refusal.TooManyJobs)
	e.create(t, example, other)
}

// The API connects to no address that a caller names; ingesters do, behind the guard that services/ingester/source tests
// (forgery_test.go, rebinding_test.go, redirect_test.go).
func owaspForgery(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inside.Close()
	e.create(t, `{"url":"`+inside.URL+`/x.csv"}`, header)
	for _, address := range []string{"gopher://localhost/x", "ftp://localhost/x", "javascript:alert(1)", "data:text/csv,a", "//localhost/x", "file://other/etc/passwd"} {
		refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+address+`"}`, header, isJSON), refusal.InvalidRequest)
	}
	if asked.Load() != 0 {
		t.Error("the API asks the address")
	}
}

// Answers cannot be taken for something else, are not kept by caches, tell nothing of the inside, and let no other origin in.
func owaspConfiguration(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	for target, cached := range map[string]string{
		"/v1/jobs": "private, no-cache", "/openapi.yaml": "private, no-cache", "/healthz": "no-store", "/v1/jobs/x": "no-store", "/nothing": "no-store",
		"/v1/jobs?limit=x": "no-store",
	} {
		a := e.call(t, http.MethodGet, target, "", header)
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != cached {
			t.Errorf("%s: %v", target, a.header)
		}
		for _, inside := range []string{"goroutine", ".go:", "nats://", "labstack", "pgx"} {
			if strings.Contains(string(a.body), inside) && target != "/openapi.yaml" {
				t.Errorf("%s tells %s: %s", target, inside, a.body)
			}
		}
		if a.header.Get("Server") != "" || a.header.Get("X-Powered-By") != "" {
			t.Errorf("%s says what it is made of: %v", target, a.header)
		}
	}
	preflight := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "http://localhost/v1/jobs", nil)
	preflight.Header.Set("Origin", "http://evil.example")
	preflight.Header.Set("Access-Control-Request-Method", http.MethodPost)
	preflight.Header.Set("Access-Control-Request-Headers", "authorization")
	w := httptest.NewRecorder()
	e.api.Handler().ServeHTTP(w, preflight)
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("another origin is told %s", name)
		}
	}
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", example, header, isJSON, "Origin: http://evil.example"), refusal.CrossOrigin)
	refused(t, e.call(t, http.MethodTrace, "/v1/jobs", "", header), refusal.MethodNotAllowed)
}

// TestRoutesAreThoseDescribed holds that all routes are documented; here is that nothing else answers, and old names ask for keys, too.
func owaspInventory(t *testing.T) {
	e, _ := newKeyedEnv(t)
	for _, target := range []string{"/debug/pprof/", "/debug/vars", "/v0/jobs", "/v2/jobs", "/.env", "/swagger.json", "/admin", "/v1/keys"} {
		refused(t, e.get(t, target), refusal.NotFound)
	}
	for _, target := range []string{"/job_status?jobId=x", "/job_cancel?jobId=x"} {
		refused(t, e.get(t, target), refusal.Unauthenticated)
	}
	all, err := contract.Read()
	if err != nil {
		t.Fatal(err)
	}
	public := 0
	for _, o := range all.Operations() {
		if len(o.Scopes) == 0 {
			public++
		}
	}
	if public != 5 {
		t.Errorf("%d routes are for everybody", public)
	}
}

// What other services answer is checked and not passed on; what servers of sources send is the ingester's to mistrust, and tested in
// services/ingester/source and csv.
func owaspOthers(t *testing.T) {
	e, double := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	double.mu.Lock()
	double.failure = events.QueryFailed
	double.mu.Unlock()
	a := e.call(t, http.MethodGet, "/v1/jobs", "", header)
	refused(t, a, refusal.StatusUnavailable)
	if strings.Contains(string(a.body), "inside") {
		t.Errorf("what status says is passed on: %s", a.body)
	}
}
