package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/pkg/apikey"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

func TestRequestsAreLimited(t *testing.T) {
	e, _ := newKeyedEnv(t)
	var passed atomic.Int64
	e.api.now = func() time.Time { return noon.Add(time.Duration(passed.Load())) }
	limited := good()
	limited.RequestsPerMinute = 3
	_, header := e.newKey(t, limited)
	_, other := e.newKey(t, good())
	for n, want := range []struct {
		after   time.Duration
		refused bool
		left    string
	}{
		{0, false, `"requests";r=2;t=20`},
		{0, false, `"requests";r=1;t=20`},
		{5 * time.Second, false, `"requests";r=0;t=15`},
		{0, true, `"requests";r=0;t=15`},
		{14 * time.Second, true, `"requests";r=0;t=1`},
		{time.Second, false, `"requests";r=0;t=20`},
		{time.Hour, false, `"requests";r=2;t=20`},
	} {
		passed.Add(int64(want.after))
		a := e.call(t, http.MethodGet, "/v1/jobs", "", header)
		if got := a.header.Get("RateLimit-Policy"); got != `"requests";q=3;w=60` {
			t.Errorf("%d: the policy is %s", n, got)
		}
		if got := a.header.Get("RateLimit"); got != want.left {
			t.Errorf("%d: left is %s, want %s", n, got, want.left)
		}
		if !want.refused {
			if a.status != http.StatusOK {
				t.Errorf("%d: %d %s", n, a.status, a.body)
			}
			continue
		}
		refused(t, a, refusal.RateLimited)
		if soon := a.header.Get(echo.HeaderRetryAfter); !strings.HasSuffix(want.left, "t="+soon) {
			t.Errorf("%d: to be tried again after %q", n, soon)
		}
	}
	if a := e.call(t, http.MethodPut, "/v1/jobs", "", header); a.header.Get("RateLimit") != "" {
		t.Error("what is no operation is counted")
	}
	if a := e.call(t, http.MethodGet, "/v1/jobs", "", other); a.status != http.StatusOK || a.header.Get("RateLimit") != "" {
		t.Errorf("another key: %d %v", a.status, a.header)
	}
	for range 5 { // also what is refused is counted, and tells of it
		if a := e.call(t, http.MethodPost, "/v1/jobs", "{", header, isJSON); a.header.Get("RateLimit") == "" {
			t.Error("a refusal does not tell of the limit")
		}
	}
}

// TestLimitsOutliveChanges holds that a key's limit does not begin anew when some other key is made or revoked.
func TestLimitsOutliveChanges(t *testing.T) {
	e, _ := newKeyedEnv(t)
	e.api.now = func() time.Time { return noon }
	limited := good()
	limited.RequestsPerMinute = 1
	_, header := e.newKey(t, limited)
	if a := e.call(t, http.MethodGet, "/v1/jobs", "", header); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	e.newKey(t, good())
	refused(t, e.call(t, http.MethodGet, "/v1/jobs", "", header), refusal.RateLimited)
}

func TestQueuedJobsAreLimited(t *testing.T) {
	e, double := newKeyedEnv(t)
	limited := good()
	limited.QueuedJobs = 2
	k, header := e.newKey(t, limited)
	_, other := e.newKey(t, good())
	e.create(t, example, other)
	first := e.create(t, example, header, isKey+"first")
	e.create(t, `{"url":"`+exampleURL+`","priority":"urgent"}`, header)

	create := func(headers ...string) answer {
		return e.call(t, http.MethodPost, "/v1/jobs", example, append(headers, isJSON)...)
	}
	a := create(header)
	refused(t, a, refusal.TooManyJobs)
	if a.header.Get(echo.HeaderRetryAfter) == "" {
		t.Error("it is not told when to try again")
	}
	refused(t, e.call(t, http.MethodPost, "/download_file", "fileUrl="+exampleURL, isForm, header), refusal.TooManyJobs)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs/"+first.ID+"/retry", "", header), refusal.TooManyJobs)
	refused(t, create(header, isKey+"second"), refusal.TooManyJobs)
	if again := e.create(t, example, header, isKey+"first"); again.ID != first.ID {
		t.Errorf("asked for again, job %s is %s", first.ID, again.ID)
	}
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"url":"http://localhost/other.csv"}`, header, isJSON, isKey+"first"), refusal.IdempotencyConflict)
	e.create(t, example, other)

	double.tell(events.Status{ID: first.ID, State: events.StateRunning, Spec: events.Spec{Submitter: k.ID}})
	e.create(t, example, header)
	refused(t, create(header), refusal.TooManyJobs)
	e.expectStored(t, 5)
	double.mu.Lock()
	double.failure = events.QueryFailed
	double.mu.Unlock()
	refused(t, create(header), refusal.StatusUnavailable)
	if a := create(other); a.status != http.StatusAccepted {
		t.Errorf("a key without a limit needs status: %d %s", a.status, a.body)
	}
}

// TestBurstsAreLimited holds that requests at the same time do not pass the limit together, although status may be behind.
func TestBurstsAreLimited(t *testing.T) {
	e, double := newKeyedEnv(t)
	limited := good()
	limited.QueuedJobs = 3
	_, header := e.newKey(t, limited)
	var group sync.WaitGroup
	var accepted, tooMany atomic.Int64
	for range 20 {
		group.Go(func() {
			switch a := e.call(t, http.MethodPost, "/v1/jobs", example, header, isJSON); a.status {
			case http.StatusAccepted:
				accepted.Add(1)
			case http.StatusTooManyRequests:
				tooMany.Add(1)
			default:
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	group.Wait()
	if accepted.Load() != 3 || tooMany.Load() != 17 {
		t.Errorf("%d accepted, %d refused", accepted.Load(), tooMany.Load())
	}
	e.expectStored(t, 3)
	known := map[string]bool{}
	for _, q := range double.askedWaiting() {
		known[q.Known] = true
	}
	if len(known) != 4 { // none, and each of the three
		t.Errorf("status is asked with knowledge of %v", known)
	}
}

// TestIdempotencyKeysDoNotMeet holds that two API keys with the same idempotency key make two jobs, and that jobs say with which
// key they were created.
func TestIdempotencyKeysDoNotMeet(t *testing.T) {
	e, _ := newKeyedEnv(t)
	ids := map[string]string{} // submitters
	for range 2 {
		k, header := e.newKey(t, good())
		job := e.create(t, example, header, isKey+"k")
		if again := e.create(t, example, header, isKey+"k"); again.ID != job.ID {
			t.Errorf("repeated, job %s is %s", job.ID, again.ID)
		}
		ids[job.ID] = k.ID
	}
	e.expectStored(t, 2)
	for _, msg := range e.stored(t, bus.JobsStream) {
		job, err := events.DecodeJob(msg.Data)
		if err != nil || job.Spec.Submitter == "" || ids[job.ID] != job.Spec.Submitter {
			t.Errorf("job %s says that it is %q's, %v", job.ID, job.Spec.Submitter, err)
		}
	}
	key := "k"
	without, err := newID("", &key)
	if err != nil || without != "5b3fadc0-bd4c-5af5-838b-741bd9d85604" {
		t.Errorf("without an API key it stands for %s, %v", without, err)
	}
	if e, _ := newID("5b1f0c9d", &key); e == without || ids[without] != "" {
		t.Error("with an API key it stands for the same job as without")
	}
}

// TestKeysLeaveNoTrace holds that no answer, no event and no line of the log has a key's secret or what is stored of it.
func TestKeysLeaveNoTrace(t *testing.T) {
	var log lockedBuffer
	e, _ := newKeyedEnv(t)
	e.api.config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	k, header := e.newKey(t, good())
	_, secret, _ := apikey.Parse(strings.TrimPrefix(header, isBearer))
	job := e.create(t, example, header)
	said := []string{string(e.call(t, http.MethodGet, job.Links.Self, "", header).body), string(e.call(t, http.MethodGet, job.Links.Events, "", header).body)}
	a := e.call(t, http.MethodGet, "/v1/jobs", "", header+"x")
	said = append(said, string(a.body), fmt.Sprint(a.header), string(log.Bytes()))
	for _, stream := range []string{bus.EventsStream, bus.JobsStream} {
		for _, msg := range e.stored(t, stream) {
			said = append(said, string(msg.Data), fmt.Sprint(msg.Header))
		}
	}
	for _, text := range said {
		if strings.Contains(text, secret) || strings.Contains(text, k.Hash) {
			t.Errorf("a key is told: %s", text)
		}
	}
	for _, text := range said[:2] { // who has submitted a job is not for everybody
		if strings.Contains(text, k.ID) {
			t.Errorf("the submitter is told: %s", text)
		}
	}
}
