package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	isJSON     = "Content-Type: application/json"
	isForm     = "Content-Type: application/x-www-form-urlencoded"
	isKey      = "Idempotency-Key: "
	exampleURL = "http://localhost:8000/tripsdata.csv"
	example    = `{"url":"` + exampleURL + `"}`
)

// env is an API with a queue of its own.
type env struct {
	nats *testenv.NATS
	bus  *bus.Bus
	api  *Service
	url  string

	status  *statusDouble // where there is one
	cramped bool          // the system keeps little of what a client does not read
	limit   time.Duration // the server's for requests, if it is another one
}

// newEnv runs an API that has a secret key. No status service runs beside it.
func newEnv(t testing.TB) *env {
	t.Helper()
	sealer, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return newEnvWith(t, sealer)
}

func newEnvWith(t testing.TB, sealer seal.Sealer) *env {
	t.Helper()
	e := &env{nats: testenv.StartNATS(t)}
	e.bus = e.nats.Bus("api")
	config := DefaultConfig()
	config.Log = testenv.Log(t)
	e.api = New(config, e.bus, sealer)
	server := httptest.NewServer(e.api.Handler())
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

// answer is what the API said to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request with headers in the form "Name: value". Whatever the answer is, it must be as documented.
func (e *env) call(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	return e.send(t, method, target, strings.NewReader(body), headers...)
}

func (e *env) send(t testing.TB, method, target string, body io.Reader, headers ...string) answer {
	t.Helper()
	a := e.exchange(t, method, target, body, headers...)
	path, _, _ := strings.Cut(target, "?")
	if err := described().allows(method, path, a); err != nil {
		t.Errorf("%s %s: %v: %s", method, target, err, a.body)
	}
	if strings.HasSuffix(a.header.Get("Content-Type"), "json") && method != http.MethodHead && !bytes.HasSuffix(a.body, []byte("\n")) {
		t.Errorf("%s %s: what terminals show does not end a line: %s", method, target, a.body)
	}
	return a
}

// exchange sends a request and takes whatever comes.
func (e *env) exchange(t testing.TB, method, target string, body io.Reader, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(testenv.Context(t), method, e.url+target, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if name, value, ok := strings.Cut(h, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	r.Host = r.Header.Get("Host")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: data}
}

func (e *env) get(t testing.TB, target string) answer {
	t.Helper()
	return e.call(t, http.MethodGet, target, "")
}

// create posts a job and returns what became of it, which must be a job.
func (e *env) create(t testing.TB, body string, headers ...string) openapi.Job {
	t.Helper()
	a := e.call(t, http.MethodPost, "/v1/jobs", body, append(headers, isJSON)...)
	if a.status != http.StatusAccepted {
		t.Fatalf("creating a job: %d %s", a.status, a.body)
	}
	return decoded[openapi.Job](t, a)
}

func decoded[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("decoding %s: %v", a.body, err)
	}
	return v
}

// refused checks that the answer is a problem with this code and the status that belongs to it, and returns it.
func refused(t testing.TB, a answer, want refusal.Code) openapi.Problem {
	t.Helper()
	p := decoded[openapi.Problem](t, a)
	if p.Code != string(want) || a.status != want.Status() || p.Status != a.status {
		t.Errorf("answered %d %s, want %d %s", a.status, a.body, want.Status(), want)
	}
	return p
}

// stored returns every message of a stream.
func (e *env) stored(t testing.TB, stream string) []*jetstream.RawStreamMsg {
	t.Helper()
	ctx, s := testenv.Context(t), e.stream(t, stream)
	state := s.CachedInfo().State
	var all []*jetstream.RawStreamMsg
	for n := max(state.FirstSeq, 1); n <= state.LastSeq; n++ {
		msg, err := s.GetMsg(ctx, n)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, msg)
	}
	return all
}

// messages is how many messages a stream has.
func (e *env) messages(t testing.TB, stream string) uint64 {
	t.Helper()
	return e.stream(t, stream).CachedInfo().State.Msgs
}

func (e *env) stream(t testing.TB, name string) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(e.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(testenv.Context(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// expectStored checks how many jobs exist, and that each has its message and its first events once.
func (e *env) expectStored(t testing.TB, jobs int) {
	t.Helper()
	counts := map[string]int{}
	for _, msg := range e.stored(t, bus.EventsStream) {
		counts[msg.Subject[strings.LastIndex(msg.Subject, ".")+1:]]++
	}
	created, queued := counts[string(events.TypeCreated)], counts[string(events.TypeQueued)]
	if messages := len(e.stored(t, bus.JobsStream)); messages != jobs || created != jobs || queued != jobs {
		t.Errorf("%d messages on the queue, %d created, %d queued; want %d of each", messages, created, queued, jobs)
	}
}

// stopNATS ends the server and waits until the API has noticed.
func (e *env) stopNATS(ctx context.Context, t testing.TB) {
	t.Helper()
	lost := e.bus.Conn.StatusChanged(nats.RECONNECTING)
	e.nats.Stop()
	select {
	case <-lost:
	case <-ctx.Done():
		t.Fatal("the end of NATS was not noticed")
	}
}

func (e *env) removeStream(ctx context.Context, t testing.TB, name string) {
	t.Helper()
	js, err := jetstream.New(e.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(ctx, name); err != nil {
		t.Fatal(err)
	}
}

// sameJSON compares two texts as the values that they stand for.
func sameJSON(t testing.TB, a, b string) bool {
	t.Helper()
	return reflect.DeepEqual(decoded[any](t, answer{body: []byte(a)}), decoded[any](t, answer{body: []byte(b)}))
}
