package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// quickly is how soon a caller is to be told that something does not answer which is known to be away.
const quickly = 2 * time.Second

func TestQueueAway(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	e.stopNATS(ctx, t)
	for _, tt := range []struct{ path, body, media string }{
		{"/v1/jobs", example, isJSON},
		{"/download_file", "fileUrl=" + exampleURL, isForm},
	} {
		begun := time.Now()
		a := e.call(t, http.MethodPost, tt.path, tt.body, tt.media, isKey+"k")
		refused(t, a, refusal.QueueUnavailable)
		if took := time.Since(begun); took > quickly {
			t.Errorf("%s: told after %s", tt.path, took)
		}
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: not told when to try again", tt.path)
		}
		if strings.Contains(string(a.body), "nats") {
			t.Errorf("%s: tells what is inside: %s", tt.path, a.body)
		}
	}
	begun := time.Now()
	refused(t, e.get(t, "/v1/jobs"), refusal.StatusUnavailable)
	if took := time.Since(begun); took > quickly {
		t.Errorf("a list is refused after %s", took)
	}
	e.nats.Start()
	testenv.Eventually(ctx, t, "creating a job after the outage", func() error {
		_, err := e.api.create(ctx, request{source: source{url: mustParse(t, exampleURL)}, priority: "normal"}, nil)
		return err
	})
}

// TestStreamsAway holds that a job is accepted only once it is on the queue, and can be brought there by its key.
func TestStreamsAway(t *testing.T) {
	for _, stream := range []string{bus.EventsStream, bus.JobsStream} {
		t.Run(stream, func(t *testing.T) {
			e, ctx := newEnv(t), testenv.Context(t)
			e.removeStream(ctx, t, stream)
			begun := time.Now()
			p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", example, isJSON, isKey+"k"), refusal.QueueUnavailable)
			if took := time.Since(begun); took > quickly {
				t.Errorf("told after %s", took)
			}
			if err := bus.Setup(ctx, e.bus.Conn, 1); err != nil {
				t.Fatal(err)
			}
			job := e.create(t, example, isKey+"k")
			if p.Detail == nil || !strings.Contains(*p.Detail, job.Links.Self) {
				t.Errorf("the refusal %v does not say where the job would be, %s", p.Detail, job.Links.Self)
			}
			e.expectStored(t, 1)
		})
	}
}

func TestStatusAway(t *testing.T) {
	e := newEnv(t)
	job := e.create(t, example, isKey+"k")
	if again := e.create(t, example, isKey+"k"); again.ID != job.ID || again.State != openapi.JobStateQueued {
		t.Errorf("repeated: %+v", again)
	}
	for _, target := range []string{job.Links.Self, job.Links.Self + "/result", "/v1/jobs", "/job_status?jobId=" + job.ID} {
		begun := time.Now()
		a := e.get(t, target)
		refused(t, a, refusal.StatusUnavailable)
		if took := time.Since(begun); took > quickly || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: told after %s, to try again after %q s", target, took, a.header.Get("Retry-After"))
		}
	}
	if a := e.get(t, job.Links.Events); a.status != http.StatusOK { // of what has happened status need not be asked
		t.Errorf("the events: %d %s", a.status, a.body)
	}
}

func TestStatusFails(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t).failure = "500"
	job := e.create(t, example)
	for _, target := range []string{job.Links.Self, "/v1/jobs"} {
		if a := e.get(t, target); strings.Contains(string(a.body), "inside") {
			t.Errorf("tells what is inside: %s", a.body)
		} else {
			refused(t, a, refusal.StatusUnavailable)
		}
	}
}

func canceled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func mustParse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, problem := parseURL(raw)
	if problem != "" {
		t.Fatalf("%s %s", raw, problem)
	}
	return u
}
