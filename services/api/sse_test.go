package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

const (
	isStream = "Accept: text/event-stream"
	isLast   = "Last-Event-ID: "
)

// newLiveEnv runs an API as its process does, so that it has live events, with a status service beside it.
func newLiveEnv(t testing.TB, changes ...func(*env)) (*env, run) {
	t.Helper()
	e := newEnv(t)
	e.status = e.playStatus(t)
	for _, change := range changes {
		change(e)
	}
	r := e.run(t, 3*time.Second)
	e.url = "http://" + r.listener.Addr().String()
	return e, r
}

// publish stores an event that another service would write.
func (e *env) publish(t testing.TB, jobID string, pos events.Position, data events.Payload) uint64 {
	t.Helper()
	sequence, err := e.bus.Events.Publish(testenv.Context(t), events.New(jobID, pos, noon, "ingester/one", data))
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// watcher is a client of a stream.
type watcher struct {
	*bufio.Reader
	leave context.CancelFunc
	id    string // as a browser remembers it
}

// watch begins to read a stream.
func (e *env) watch(t testing.TB, target string, headers ...string) *watcher {
	t.Helper()
	ctx, leave := context.WithCancel(testenv.Context(t))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range append(headers, isStream) {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leave(); _ = response.Body.Close() })
	h := response.Header
	if response.StatusCode != http.StatusOK || h.Get("Content-Type") != eventStream || h.Get("Cache-Control") != "no-store" || h.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("%s: answered %s %v", target, response.Status, h)
	}
	described().happened(described().response(http.MethodGet, r.URL.Path, response.StatusCode), eventStream)
	w := &watcher{Reader: bufio.NewReaderSize(response.Body, 1<<20), leave: leave}
	if line, err := w.ReadString('\n'); err != nil || line != "retry: 1000\n" {
		t.Fatalf("the stream begins with %q (%v)", line, err)
	}
	return w
}

// read returns the next event. Whatever comes must be as documented.
func (w *watcher) read() (openapi.Event, error) {
	var e openapi.Event
	kind, data := "", ""
	for {
		line, err := w.ReadString('\n')
		if err != nil {
			return e, errors.Join(err, incomplete(line+kind+data))
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case line == ":\n" || name == "retry":
		case name == "id":
			w.id = value
		case name == "event":
			kind = value
		case name == "data":
			data = value
		case line != "\n":
			return e, fmt.Errorf("the line %q is not expected", line)
		case data != "":
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				return e, err
			}
			if strconv.FormatInt(e.Sequence, 10) != w.id || e.Type != kind {
				return e, fmt.Errorf("event %s with id %s holds %s", kind, w.id, data)
			}
			return e, described().valid("/components/schemas/Event", []byte(data))
		}
	}
}

func incomplete(text string) error {
	if text == "" {
		return nil
	}
	return fmt.Errorf("broken off behind %q", text)
}

func (w *watcher) next(t testing.TB) openapi.Event {
	t.Helper()
	e, err := w.read()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// expect reads events with these sequences.
func (w *watcher) expect(t testing.TB, sequences ...uint64) {
	t.Helper()
	for _, want := range sequences {
		if e := w.next(t); uint64(e.Sequence) != want {
			t.Fatalf("event %d came, %s, want %d", e.Sequence, e.Type, want)
		}
	}
}

// expectEnd holds that the stream ends in order.
func (w *watcher) expectEnd(t testing.TB) {
	t.Helper()
	if e, err := w.read(); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream goes on with %+v (%v)", e, err)
	}
}

// validStream checks a whole stream.
func validStream(body []byte) error {
	w := &watcher{Reader: bufio.NewReader(bytes.NewReader(body))}
	for {
		if _, err := w.read(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// position is where an event of the first run and claim stands.
func position(seq int) events.Position {
	return events.Position{Run: 1, Claim: 1, Attempt: 1, Seq: seq}
}

// life stores the events of a job that succeeds, from its beginning on.
func (e *env) life(t testing.TB) (id string, sequences []uint64) {
	t.Helper()
	id = uuid.NewString()
	for n, data := range []events.Payload{
		events.Created{}, events.Queued{Sequence: 1}, events.Started{Worker: "one"}, events.Progress{Figures: events.Figures{Rows: 5}},
		events.Progress{Figures: events.Figures{Rows: 7}}, events.Succeeded{Result: events.Result{Table: "t", Rows: 9}},
	} {
		sequences = append(sequences, e.publish(t, id, position(n+1), data))
	}
	return id, sequences
}
