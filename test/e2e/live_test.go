package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// event is an event as the API shows it.
type event struct {
	Sequence int64  `json:"sequence"`
	JobID    string `json:"job_id"`
	Type     string `json:"type"`
	Progress *struct {
		Rows int64 `json:"rows"`
	} `json:"progress"`
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// watching is a stream of events that is being read.
type watching struct {
	*bufio.Scanner
	last string // the id of the last event
}

func (i *instance) watch(t testing.TB, path, last string) *watching {
	t.Helper()
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodGet, i.api+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	i.identify(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, response.Status)
	}
	return &watching{Scanner: bufio.NewScanner(response.Body)}
}

// next returns the next event, or io.EOF when the stream has ended in order.
func (w *watching) next() (e event, err error) {
	for w.Scan() {
		if id, ok := strings.CutPrefix(w.Text(), "id: "); ok {
			w.last = id
		}
		if data, ok := strings.CutPrefix(w.Text(), "data: "); ok {
			return e, json.Unmarshal([]byte(data), &e)
		}
	}
	if w.Err() != nil {
		return e, w.Err()
	}
	return e, io.EOF
}

// until returns the events up to the first of a type, that one included.
func (w *watching) until(t testing.TB, last string) (list []event) {
	t.Helper()
	for {
		e, err := w.next()
		if err != nil {
			t.Fatalf("no %s has come behind %v: %v", last, list, err)
		}
		if list = append(list, e); e.Type == last {
			return list
		}
	}
}

// rest returns the events up to the end of the stream, which must be in order.
func (w *watching) rest(t testing.TB) (list []event) {
	t.Helper()
	for {
		switch e, err := w.next(); {
		case errors.Is(err, io.EOF):
			return list
		case err != nil:
			t.Fatalf("the stream has not ended in order: %v", err)
		default:
			list = append(list, e)
		}
	}
}

// lifecycle names what has happened, without the progress.
func lifecycle(list []event) (steps []string) {
	for _, e := range list {
		if e.Type != "progress" {
			steps = append(steps, fmt.Sprintf("%d %s", e.Sequence, e.Type))
		}
	}
	return steps
}

// TestWatchLive watches a job from its creation to its end.
func TestWatchLive(t *testing.T) {
	t.Parallel()
	i, slow := up(t, testenv.Dir(t)), serveSlowly(t)
	all := i.watch(t, "/v1/events", "")
	id := i.submit(t, map[string]any{"url": slow.url, "table": "slow"}).ID
	one := i.watch(t, "/v1/jobs/"+id+"/events", "")
	seen := one.until(t, "progress") // halfway
	slow.goOn()
	seen = append(seen, one.until(t, "succeeded")...)
	if _, err := one.next(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream goes on: %v", err)
	}
	steps := lifecycle(seen)
	if want := []string{"1 created", "2 queued", "3 started"}; !slices.Equal(steps[:3], want) || len(steps) != 4 {
		t.Errorf("what happened is %v", steps)
	}
	if end := seen[len(seen)-1]; end.Rows != slowRows || end.Table != "slow" || end.Progress == nil || end.Progress.Rows != slowRows {
		t.Errorf("the end is %+v", end)
	}
	if others := lifecycle(all.until(t, "succeeded")); !slices.Equal(others, steps) {
		t.Errorf("of all jobs came %v, of this one %v", others, steps)
	}
	if page := got[struct{ Events []event }](t, i, "/v1/jobs/"+id+"/events"); !slices.Equal(lifecycle(page.Events), steps) {
		t.Errorf("the history is %v, watched was %v", lifecycle(page.Events), steps)
	}
	if a := i.call(t, http.MethodGet, "/v1/jobs/"+id+"/events", "", "Accept: text/event-stream", "Last-Event-ID: "+one.last); a.status != http.StatusNoContent {
		t.Errorf("asked again: %d %s", a.status, a.body)
	}
}

// TestResumeAtAnotherAPI ends an API that is watched, and goes on at another one where its streams have ended.
func TestResumeAtAnotherAPI(t *testing.T) {
	t.Parallel()
	f, slow := startFleet(t, "one"), serveSlowly(t)
	second := f.awaitAPI(t, f.runAPI(t))
	all := f.watch(t, "/v1/events", "")
	id := f.submit(t, map[string]any{"url": slow.url, "table": "slow"}).ID
	one := f.watch(t, "/v1/jobs/"+id+"/events", "")
	seenOfOne, seenOfAll := one.until(t, "started"), all.until(t, "queued")
	f.stop(t)
	seenOfOne, seenOfAll = append(seenOfOne, one.rest(t)...), append(seenOfAll, all.rest(t)...)
	slow.goOn()
	second.awaitState(t, id, "succeeded")
	seenOfOne = append(seenOfOne, second.watch(t, "/v1/jobs/"+id+"/events", one.last).until(t, "succeeded")...)
	seenOfAll = append(seenOfAll, second.watch(t, "/v1/events", all.last).until(t, "succeeded")...)

	page := got[struct{ Events []event }](t, second, "/v1/jobs/"+id+"/events")
	for name, seen := range map[string][]event{"the job": seenOfOne, "all jobs": seenOfAll} {
		if steps := lifecycle(seen); !slices.Equal(steps, lifecycle(page.Events)) {
			t.Errorf("of %s came %v, the history is %v", name, steps, lifecycle(page.Events))
		}
	}
}
