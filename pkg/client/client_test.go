package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// api answers as a test wants, one answer after the other, and keeps what it was asked.
type api struct {
	*Client
	mu      sync.Mutex
	asked   []*http.Request
	bodies  []string
	answers []http.HandlerFunc
	waited  []string // for what, and how long
}

// newAPI returns an API that gives these answers; the last one again and again.
func newAPI(t *testing.T, answers ...http.HandlerFunc) *api {
	t.Helper()
	a := &api{answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	waiting := func(why error, most time.Duration) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.waited = append(a.waited, most.String()+" "+why.Error())
	}
	c, err := New(server.URL+"/", Config{Key: "k1", UserAgent: "test/1", HTTP: server.Client(), Waiting: waiting})
	if err != nil {
		t.Fatal(err)
	}
	a.Client = c
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.asked, a.bodies = append(a.asked, r), append(a.bodies, string(body))
	answer := a.answers[min(len(a.asked), len(a.answers))-1]
	a.mu.Unlock()
	answer(w, r)
}

// waits are what was waited for so far.
func (a *api) waits() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.waited)
}

// paths are those that were asked for so far.
func (a *api) paths() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for _, r := range a.asked {
		list = append(list, r.Method+" "+r.URL.RequestURI())
	}
	return list
}

func says(status int, media, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const (
	queuedJob  = `{"id":"j1","state":"queued","progress":{"rows":0},"unknown":1}`
	runningJob = `{"id":"j1","state":"running","progress":{"rows":7}}`
	endedJob   = `{"id":"j1","state":"succeeded","progress":{"rows":9}}`
	busy       = `{"type":"about:blank","title":"The queue does not answer","status":503,"code":"queue_unavailable"}`
	noJob      = `{"type":"about:blank","title":"There is no such job","status":404,"code":"job_not_found","detail":"check the id",` +
		`"errors":[{"pointer":"/id","detail":"is none"}]}`
)

func TestNew(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"http://127.0.0.1:3000", ""},
		{"https://sluice.example.org/loads/", ""},
		{"127.0.0.1:3000", "not a URL"},
		{"ftp://example.org", "must start with http"},
		{"http://", "must start with http"},
		{"http://u:secret@example.org", "neither user nor query"},
		{"http://example.org?token=secret", "neither user nor query"},
		{"http://u:sec\nret@example.org", "not a URL"},
	} {
		_, err := New(c.address, Config{})
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v, want %q", c.address, err, c.want)
		case err != nil && strings.Contains(err.Error(), "u:secret"):
			t.Errorf("%q: the error tells the password: %v", c.address, err)
		}
	}
}

func TestAnswer(t *testing.T) {
	a := newAPI(t, says(200, "application/json; charset=UTF-8", queuedJob+"\n", `ETag: "t1"`))
	job, err := a.Job(t.Context(), "j 1/2")
	if err != nil || job.Value.ID != "j1" || job.Value.State != JobStateQueued || job.ETag != `"t1"` {
		t.Fatalf("%+v %v", job, err)
	}
	if !strings.Contains(string(job.JSON), `"unknown":1`) {
		t.Errorf("what came is %s", job.JSON)
	}
	if paths := a.paths(); !slices.Equal(paths, []string{"GET /v1/jobs/j%201%2F2"}) {
		t.Errorf("asked was %v", paths)
	}
	if h := a.asked[0].Header; h.Get("User-Agent") != "test/1" || h.Get("Authorization") != "Bearer k1" {
		t.Errorf("asked was with %v", h)
	}
}

func TestProblem(t *testing.T) {
	a := newAPI(t, says(404, "application/problem+json", noJob))
	_, err := a.Job(t.Context(), "j1")
	p, ok := errors.AsType[*Problem](err)
	if !ok || p.Code != "job_not_found" || p.Status != 404 || *p.Detail != "check the id" || len(*p.Errors) != 1 {
		t.Fatalf("%#v", err)
	}
	if want := "There is no such job: check the id; id is none [job_not_found]"; p.Error() != want {
		t.Errorf("it says %q, want %q", p, want)
	}
	*p.Detail, (*p.Errors)[0].Pointer, (*p.Errors)[0].Detail = "csv.quote is long", "/csv/quote", "is long"
	if want := "There is no such job: csv.quote is long [job_not_found]"; p.Error() != want { // once
		t.Errorf("it says %q, want %q", p, want)
	}
}

func TestUnexpected(t *testing.T) {
	for _, answer := range []http.HandlerFunc{
		says(200, "text/html", "<html>"),
		says(200, "application/json", "{"),
		says(200, "application/json", `{"state":7}`),
		says(404, "text/html", "<html>"),
		says(502, "application/problem+json", "{"),
		says(502, "application/problem+json", "{}"),
		says(204, "", ""),
	} {
		a := newAPI(t, answer)
		_, err := a.Job(t.Context(), "j1")
		if u, ok := errors.AsType[*Unexpected](err); !ok || u.Method != http.MethodGet || !strings.HasSuffix(u.URL, "/v1/jobs/j1") {
			t.Errorf("%v", err)
		}
		if _, err := a.RowsCSV(t.Context(), "t", GetDatasetRowsParams{}); err == nil {
			t.Error("it is no CSV, and taken for that")
		}
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := New(server.URL, Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Job(t.Context(), "j1")
	if u, ok := errors.AsType[*Unreachable](err); !ok || u.URL != server.URL || strings.Count(err.Error(), server.URL) != 1 {
		t.Errorf("%v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err = c.Job(ended, "j1"); !errors.Is(err, context.Canceled) {
		t.Errorf("given up it says %v", err)
	}
}

func TestAgain(t *testing.T) {
	later := says(503, "application/problem+json", busy, "Retry-After: 0")
	tooLate := says(503, "application/problem+json", busy, "Retry-After: 3600")
	job := says(202, "application/json", queuedJob)
	create := func(key string) func(*api) error {
		return func(a *api) error {
			_, err := a.CreateJob(t.Context(), JobRequest{URL: new("http://x/a.csv")}, key)
			return err
		}
	}
	get := func(a *api) error {
		_, err := a.Job(t.Context(), "j1")
		return err
	}
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		ask     func(*api) error
		asked   int
		fails   bool
	}{
		"a question":                   {[]http.HandlerFunc{later, later, job}, get, 3, false},
		"too many requests":            {[]http.HandlerFunc{says(429, "application/problem+json", busy, "Retry-After: 0"), job}, get, 2, false},
		"not for ever":                 {[]http.HandlerFunc{later}, get, tries, true},
		"not so late":                  {[]http.HandlerFunc{tooLate, job}, get, 1, true},
		"not if it does not say when":  {[]http.HandlerFunc{says(503, "application/problem+json", busy), job}, get, 1, true},
		"a creation with a key":        {[]http.HandlerFunc{later, job}, create("k"), 2, false},
		"not a creation without a key": {[]http.HandlerFunc{later, job}, create(""), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, c.answers...)
			if err := c.ask(a); (err != nil) != c.fails || len(a.asked) != c.asked {
				t.Errorf("asked %d times: %v", len(a.asked), err)
			}
			waits := a.waits()
			if len(waits) != c.asked-1 || slices.ContainsFunc(waits, func(text string) bool { return !regexp.MustCompile(`^0s .*\[queue_unavailable\]$`).MatchString(text) }) {
				t.Errorf("told was %q", waits)
			}
			for _, body := range a.bodies {
				if body != a.bodies[0] {
					t.Errorf("the bodies are %q", a.bodies)
				}
			}
		})
	}
}

// TestAgainEnds holds that the pause before a request is sent again ends with who has asked.
func TestAgainEnds(t *testing.T) {
	a := newAPI(t, says(503, "application/problem+json", busy, "Retry-After: 30"))
	ctx, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer end()
	if _, err := a.Job(ctx, "j1"); err == nil || !strings.Contains(err.Error(), "queue_unavailable") {
		t.Errorf("when its time is over it says %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, stop)
	if _, err := a.Job(ctx, "j1"); !errors.Is(err, context.Canceled) {
		t.Errorf("given up it says %v", err)
	}
}

func TestUpload(t *testing.T) {
	const content = "a,b\n1,2\n"
	a := newAPI(t, says(201, "application/json", `{"upload":"upload:1","bytes":8,"sha256":"x"}`))
	for _, size := range []int64{int64(len(content)), -1} {
		stored, err := a.Upload(t.Context(), "ä b.csv", io.MultiReader(strings.NewReader(content)), size)
		if err != nil || stored.Value.Upload != "upload:1" {
			t.Fatalf("%+v %v", stored, err)
		}
		last := len(a.asked) - 1
		if r := a.asked[last]; r.ContentLength != size || a.bodies[last] != content || r.URL.Query().Get("filename") != "ä b.csv" {
			t.Errorf("sent was %q, %d bytes, as %s", a.bodies[last], r.ContentLength, r.URL)
		}
	}
}

func TestExport(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Accept"))
		_, _ = io.WriteString(w, "a\n1\n")
		if r.URL.Query().Get("limit") != "" {
			panic(http.ErrAbortHandler) // the connection is cut
		}
	})
	body, err := a.RowsCSV(t.Context(), "t", GetDatasetRowsParams{Filter: &[]string{"a:gt:0", "b:is:null"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if closed := body.Close(); err != nil || closed != nil || string(text) != "a\n1\n" {
		t.Errorf("read was %q, %v, %v", text, err, closed)
	}
	if paths := a.paths(); paths[0] != "GET /v1/datasets/t/rows?filter=a%3Agt%3A0&filter=b%3Ais%3Anull" {
		t.Errorf("asked was %v", paths)
	}
	body, err = a.RowsNDJSON(t.Context(), "t", GetDatasetRowsParams{Limit: new(int64(5))})
	if err == nil {
		_, err = io.ReadAll(body)
		_ = body.Close()
	}
	if _, ok := errors.AsType[*Unreachable](err); !ok {
		t.Errorf("cut off it ends with %v", err)
	}
}
