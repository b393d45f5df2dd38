package api

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// ask sends a request that may be answered late.
func (e *env) ask(t testing.TB, target string, headers ...string) <-chan answer {
	t.Helper()
	answers := make(chan answer, 1)
	go func() { answers <- e.call(t, http.MethodGet, target, "", headers...) }()
	return answers
}

// awaitListeners waits until so many requests wait for events of a job.
func (e *env) awaitListeners(t testing.TB, jobID string, want int) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "listening", func() error { return e.listening(jobID, want) })
}

// newWaitEnv runs an API as its process does, beside a status service that says what it is told.
func newWaitEnv(t testing.TB) (*env, run, *statusDouble) {
	t.Helper()
	e := newEnv(t)
	status := e.playStatus(t)
	r := e.run(t, 3*time.Second)
	e.url = "http://" + r.listener.Addr().String()
	return e, r, status
}

// become has status say that a job stands otherwise, and an event that something has happened.
func (e *env) become(t testing.TB, status *statusDouble, s events.Status, data events.Payload) {
	t.Helper()
	status.tell(s)
	e.publish(t, s.ID, position(s.Attempt+1), data)
}

func TestWaitForTheEnd(t *testing.T) {
	e, _, status := newWaitEnv(t)
	job := e.create(t, example)
	states := lives(job.ID)
	answers := e.ask(t, job.Links.Self+"?wait=60s")
	e.awaitListeners(t, job.ID, 1)
	e.become(t, status, states["running"], events.Started{})
	e.become(t, status, states["running"], events.Progress{})
	select {
	case a := <-answers:
		t.Fatalf("answered before the end: %s", a.body)
	default:
	}
	e.become(t, status, states["failed"], events.Failed{})
	a := <-answers
	if got := decoded[openapi.Job](t, a); a.status != http.StatusOK || got.State != openapi.JobStateFailed || a.header.Get("ETag") == "" {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	e.awaitListeners(t, job.ID, 0)
	if a := e.get(t, job.Links.Self+"?wait=60s"); a.status != http.StatusOK { // at once
		t.Errorf("after the end it answers %d %s", a.status, a.body)
	}
}

func TestWaitForAChange(t *testing.T) {
	e, _, status := newWaitEnv(t)
	job := e.create(t, example)
	states := lives(job.ID)
	a := e.get(t, job.Links.Self)
	known := "If-None-Match: " + a.header.Get("ETag")
	answers := e.ask(t, job.Links.Self+"?wait=60s", known)
	e.awaitListeners(t, job.ID, 1)
	e.publish(t, job.ID, position(1), events.Progress{}) // by which the job looks no other
	e.become(t, status, states["running"], events.Started{})
	a = <-answers
	if got := decoded[openapi.Job](t, a); a.status != http.StatusOK || got.State != openapi.JobStateRunning {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	if a := e.call(t, http.MethodGet, job.Links.Self+"?wait=60s", "", known); a.status != http.StatusOK { // at once, it has changed
		t.Errorf("answered %d %s", a.status, a.body)
	}
	known = "If-None-Match: " + a.header.Get("ETag")
	if a := e.call(t, http.MethodGet, job.Links.Self+"?wait=1s", "", known); a.status != http.StatusNotModified || len(a.body) > 0 {
		t.Errorf("without a change it answers %d %s", a.status, a.body)
	}
}

func TestWaitIsOver(t *testing.T) {
	e, r := newLiveEnv(t)
	job := e.create(t, example)
	if a := e.get(t, job.Links.Self+"?wait=1s"); decoded[openapi.Job](t, a).State != openapi.JobStateQueued || a.status != http.StatusOK {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	answers := e.ask(t, job.Links.Self+"?wait=60s")
	e.awaitListeners(t, job.ID, 1)
	r.stop()
	if a := <-answers; decoded[openapi.Job](t, a).State != openapi.JobStateQueued {
		t.Errorf("an API that ends answers %d %s", a.status, a.body)
	}
}

func TestWaitRefuses(t *testing.T) {
	e, _ := newLiveEnv(t)
	job := e.create(t, example)
	for _, wait := range []string{"", "0s", "61s", "1", "1m", "1.5s", "-1s", "1h", "s", "30s30s", "1s&wait=2s", "1e1s", "500ms", "99999999999999999999s"} {
		t.Run(wait, func(t *testing.T) {
			refused(t, e.get(t, job.Links.Self+"?wait="+wait), refusal.InvalidRequest)
		})
	}
	refused(t, e.get(t, "/v1/jobs/"+uuid.NewString()+"?wait=60s"), refusal.JobNotFound)
	refused(t, e.get(t, "/v1/jobs/x?wait=60s"), refusal.JobNotFound)
	e.awaitListeners(t, job.ID, 0)
}

// TestWaitOutlastsTheServersLimits holds that an answer comes although it comes later than others may.
func TestWaitOutlastsTheServersLimits(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := e.api.server()
	server.ReadTimeout, server.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	ctx, cancel := context.WithCancel(testenv.Context(t))
	ended := make(chan error, 1)
	go func() { ended <- e.api.serve(ctx, l, server) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	e.url = "http://" + l.Addr().String()
	job := e.create(t, example)
	if a := e.get(t, job.Links.Self+"?wait=1s"); a.status != http.StatusOK {
		t.Errorf("answered %d %s", a.status, a.body)
	}
}

func TestETags(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	job := e.create(t, example)
	succeeded := lives(job.ID)["succeeded"]
	status.tell(succeeded)
	for _, target := range []string{job.Links.Self, job.Links.Self + "/result", "/v1/jobs", "/openapi.yaml"} {
		tag := e.get(t, target).header.Get("ETag")
		for header, want := range map[string]int{
			tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, `W/"y" , W/` + tag + `,"x"`: 304, "*": 304,
			`"x"`: 200, "": 200, "x": 200, tag + "x": 200, ",": 200,
		} {
			a := e.call(t, http.MethodGet, target, "", "If-None-Match: "+header)
			if a.status != want || a.header.Get("ETag") != tag || (want == 304) != (len(a.body) == 0) {
				t.Errorf("%s: If-None-Match %s is answered with %d, %d bytes and ETag %s", target, header, a.status, len(a.body), a.header.Get("ETag"))
			}
		}
		for want, lines := range map[int][]string{
			http.StatusNotModified: {`If-None-Match: "x", "y"`, "If-None-Match: " + tag, `If-None-Match: "z"`},
			http.StatusOK:          {`If-None-Match: "x"`, "If-None-Match: *"}, // which stands for all only if alone
		} {
			if a := e.call(t, http.MethodGet, target, "", lines...); a.status != want {
				t.Errorf("%s: %q are answered with %d", target, lines, a.status)
			}
		}
	}
	was := e.get(t, job.Links.Self).header.Get("ETag")
	succeeded.Run++
	status.tell(succeeded)
	if now := e.get(t, job.Links.Self).header.Get("ETag"); now == was {
		t.Errorf("another run has the same ETag %s", now)
	}
}
