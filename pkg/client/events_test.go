package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// told is a stream that tells of events, and then is over.
func told(text string) http.HandlerFunc { return says(200, "text/event-stream", "retry: 1\n\n"+text) }

func event(sequence int, kind string) string {
	return fmt.Sprintf("id: %d\nevent: %s\ndata: {\"sequence\":%d,\"job_id\":\"j1\",\"type\":%q}\n\n", sequence, kind, sequence, kind)
}

var over = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })

func TestEvents(t *testing.T) {
	broken := func(w http.ResponseWriter, r *http.Request) {
		told(event(5, "started")+":\n\nid: 6\ndata: {")(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	refusal := says(404, "application/problem+json", noJob)
	outage := says(503, "application/problem+json", busy)
	for name, c := range map[string]struct {
		after   *int64
		answers []http.HandlerFunc
		want    string // the events
		resumed string // behind what was asked, each time
		fails   string
	}{
		"to its end":      {nil, []http.HandlerFunc{told(event(4, "queued") + event(9, "succeeded")), over}, "queued succeeded", " 9", ""},
		"resumed":         {new(int64(3)), []http.HandlerFunc{told(event(9, "succeeded")), over}, "succeeded", "3 9", ""},
		"broken off":      {nil, []http.HandlerFunc{broken, told(event(6, "failed")), over}, "started failed", " 5 6", ""},
		"silent":          {new(int64(3)), []http.HandlerFunc{told(""), told(event(4, "failed")), over}, "failed", "3 3 4", ""},
		"an outage":       {nil, []http.HandlerFunc{told(event(4, "queued")), outage, told(event(5, "failed")), over}, "queued failed", " 4 4 5", ""},
		"no such job":     {nil, []http.HandlerFunc{refusal}, "", "", "job_not_found"},
		"a page":          {nil, []http.HandlerFunc{says(200, "text/html", "")}, "", "", "not text/event-stream"},
		"what is no JSON": {nil, []http.HandlerFunc{told("data: x\n\n")}, "", "", "reading event"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, c.answers...)
			var kinds []string
			var last error
			for e, err := range a.Events(t.Context(), "j1", c.after) {
				if last = err; err == nil {
					kinds = append(kinds, e.Type)
				}
			}
			if got := strings.Join(kinds, " "); got != c.want {
				t.Errorf("heard was %q, want %q", got, c.want)
			}
			if c.fails == "" && last != nil || c.fails != "" && (last == nil || !strings.Contains(last.Error(), c.fails)) {
				t.Errorf("it ends with %v, want %q", last, c.fails)
			}
			var resumed []string
			for _, r := range a.asked {
				resumed = append(resumed, r.Header.Get("Last-Event-ID"))
				if r.Header.Get("Accept") != "text/event-stream" || r.URL.Path != "/v1/jobs/j1/events" {
					t.Errorf("asked was %s %v", r.URL, r.Header)
				}
			}
			if got := strings.Join(resumed, " "); got != c.resumed {
				t.Errorf("asked was behind %q, want %q", got, c.resumed)
			}
		})
	}
}

// TestEventsAreGivenUp holds that a stream which ends in order although nothing happens is no failure, however often, and that only so
// many failures in a row are too many.
func TestEventsAreGivenUp(t *testing.T) {
	cut := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told(":\n\n")(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	last := []http.HandlerFunc{told(event(4, "failed")), over}
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		fails   bool
	}{
		"quiet":                     {append(slices.Repeat([]http.HandlerFunc{told("")}, 3*reconnects), last...), false},
		"cut as often as may be":    {append(slices.Repeat([]http.HandlerFunc{cut}, reconnects), last...), false},
		"cut once more":             {append(slices.Repeat([]http.HandlerFunc{cut}, reconnects+1), last...), true},
		"cut in turn with quietude": {append(slices.Repeat([]http.HandlerFunc{cut, told("")}, 2*reconnects), last...), false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, append([]http.HandlerFunc{told("")}, c.answers...)...) // which says how soon to come again
			heard := 0
			var last error
			for _, err := range a.Events(t.Context(), "j1", nil) {
				if last = err; err == nil {
					heard++
				}
			}
			if (last != nil) != c.fails || (heard == 0) != c.fails {
				t.Errorf("%d events are heard, and then %v", heard, last)
			}
		})
	}
}

func TestEventsOfAll(t *testing.T) {
	a := newAPI(t, told(event(4, "queued")+event(5, "started")))
	for e, err := range a.Events(t.Context(), "", nil) {
		if err != nil || e.Sequence != 4 || e.JobID != "j1" {
			t.Errorf("heard was %+v %v", e, err)
		}
		break // and that is enough
	}
	if paths := a.paths(); !slices.Equal(paths, []string{"GET /v1/events"}) {
		t.Errorf("asked was %v", paths)
	}
}

// jobAPI answers how a job stands as one list says, and with its events as the other; the last of each again and again.
func jobAPI(t *testing.T, jobs, events []http.HandlerFunc) *api {
	t.Helper()
	looks, listens := 0, 0
	next := func(list []http.HandlerFunc, n *int) http.HandlerFunc {
		*n++
		return list[min(*n, len(list))-1]
	}
	var a *api
	a = newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		answer := next
		var h http.HandlerFunc
		if strings.HasSuffix(r.URL.Path, "/events") {
			h = answer(events, &listens)
		} else {
			h = answer(jobs, &looks)
		}
		a.mu.Unlock()
		h(w, r)
	})
	return a
}

func TestWatch(t *testing.T) {
	queued, running, ended := says(200, "application/json", queuedJob, `ETag: "1"`), says(200, "application/json", runningJob, `ETag: "2"`),
		says(200, "application/json", endedJob, `ETag: "3"`)
	same := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	open := func(text string) http.HandlerFunc { // a stream that goes on
		return func(w http.ResponseWriter, r *http.Request) {
			told(text)(w, r)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}
	ring := open(event(1, "queued"))
	for name, c := range map[string]struct {
		jobs, events []http.HandlerFunc
		want         string
		waits        bool // by questions that wait
		fails        string
	}{
		"ended already":      {[]http.HandlerFunc{ended}, []http.HandlerFunc{over}, "succeeded", false, ""},
		"by events":          {[]http.HandlerFunc{queued, ended}, []http.HandlerFunc{ring}, "queued succeeded", false, ""},
		"events are over":    {[]http.HandlerFunc{queued, running, same, ended}, []http.HandlerFunc{over}, "queued running succeeded", true, ""},
		"no events":          {[]http.HandlerFunc{queued, same, ended}, []http.HandlerFunc{says(404, "text/html", "")}, "queued succeeded", true, ""},
		"an outage":          {[]http.HandlerFunc{queued, says(500, "application/problem+json", busy), ended}, []http.HandlerFunc{over}, "queued succeeded", true, ""},
		"no such job":        {[]http.HandlerFunc{says(404, "application/problem+json", noJob)}, []http.HandlerFunc{over}, "", false, "job_not_found"},
		"an outage at first": {[]http.HandlerFunc{says(503, "application/problem+json", busy)}, []http.HandlerFunc{over}, "", false, "queue_unavailable"},
		"forgotten":          {[]http.HandlerFunc{queued, says(404, "application/problem+json", noJob)}, []http.HandlerFunc{over}, "queued", true, "job_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			a := jobAPI(t, c.jobs, c.events)
			var states []string
			var last error
			for job, err := range a.Watch(t.Context(), "j1") {
				if last = err; err == nil {
					states = append(states, string(job.Value.State))
				}
			}
			if got := strings.Join(states, " "); got != c.want {
				t.Errorf("seen was %q, want %q", got, c.want)
			}
			if c.fails == "" && last != nil || c.fails != "" && (last == nil || !strings.Contains(last.Error(), c.fails)) {
				t.Errorf("it ends with %v, want %q", last, c.fails)
			}
			if told := slices.ContainsFunc(a.waits(), func(text string) bool { return strings.HasPrefix(text, "1m0s ") }); told != (name == "an outage") {
				t.Errorf("told was %q", a.waits())
			}
			if waits := slices.Contains(a.paths(), "GET /v1/jobs/j1?wait=30s"); waits != c.waits {
				t.Errorf("asked was %v", a.paths())
			}
		})
	}
}

func TestWatchEnds(t *testing.T) {
	a := jobAPI(t, []http.HandlerFunc{says(200, "application/json", queuedJob)}, []http.HandlerFunc{over})
	for job, err := range a.Watch(t.Context(), "j1") {
		if err != nil || job.Value.State != JobStateQueued {
			t.Errorf("%+v %v", job, err)
		}
		break
	}
	if !mendable(&Unreachable{Err: io.EOF}) || mendable(errors.New("x")) {
		t.Error("what can be mended is confused")
	}
}
