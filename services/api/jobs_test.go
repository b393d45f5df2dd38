package api

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

func TestCreateJob(t *testing.T) {
	e := newEnv(t)
	e.api.now = func() time.Time { return noon.Add(123456789 * time.Nanosecond) }
	a := e.call(t, http.MethodPost, "/v1/jobs", `{"url":"http://localhost:8000/a%2Fb.csv","table":"Trips","priority":"urgent"}`,
		isJSON, "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if a.status != http.StatusAccepted {
		t.Fatalf("answered %d %s", a.status, a.body)
	}
	got := decoded[openapi.Job](t, a)
	table := "Trips"
	want := openapi.Job{
		ID: got.ID, State: openapi.JobStateQueued, Priority: openapi.PriorityUrgent, Source: "http://localhost:8000/a%2Fb.csv",
		Schema: "public", Table: &table, Mode: openapi.ModeCreate, CreatedAt: noon.Add(123 * time.Millisecond), Run: 1,
		Warnings: []openapi.Warning{}, Links: openapi.Links{Self: "/v1/jobs/" + got.ID, Events: "/v1/jobs/" + got.ID + "/events"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("answered %+v, want %+v", got, want)
	}
	if id, err := uuid.Parse(got.ID); err != nil || id.Version() != 7 {
		t.Errorf("the id %s is no UUIDv7", got.ID)
	}
	if at := a.header.Get("Location"); at != got.Links.Self {
		t.Errorf("Location is %s", at)
	}
	e.expectStored(t, 1)
	msg := e.stored(t, bus.JobsStream)[0]
	job, err := events.DecodeJob(msg.Data)
	if err != nil || msg.Subject != "jobs.urgent."+got.ID || job.ID != got.ID || job.Run != 1 || job.Spec.Table != table {
		t.Errorf("queued is %+v on %s (%v)", job, msg.Subject, err)
	}
	if trace := msg.Header["traceparent"]; len(trace) != 1 || !strings.Contains(trace[0], "4bf92f3577b34da6a3ce929d0e0e4736") {
		t.Errorf("the trace of the job is %v", trace)
	}
}

// TestFirstAnswerIsShown holds that the README shows what its first request of /v1 is answered with.
func TestFirstAnswerIsShown(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)curl -X POST localhost:3000/v1/jobs .*?-d '({.*?})'\n```\n\n```json\n(.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("there is no such request with its answer")
	}
	e := newEnv(t)
	answered := e.call(t, http.MethodPost, "/v1/jobs", string(found[1]), isJSON)
	shown := answer{body: found[2]}
	job := decoded[openapi.Job](t, shown)
	was := decoded[openapi.Job](t, answered)
	text := strings.NewReplacer(was.ID, job.ID, was.CreatedAt.Format("2006-01-02T15:04:05.000Z"), job.CreatedAt.Format("2006-01-02T15:04:05.000Z")).
		Replace(string(answered.body))
	if lines := strings.NewReplacer("\n ", "", "\n", "").Replace(string(found[2])); lines != strings.TrimSpace(text) {
		t.Errorf("shown is\n%s\nanswered\n%s", lines, text)
	}
}

func TestIDsGrowWithTime(t *testing.T) {
	e := newEnv(t)
	last := ""
	for range 20 {
		id := e.create(t, example).ID
		if id <= last {
			t.Fatalf("%s comes after %s", id, last)
		}
		last = id
	}
}

func TestRepeatedRequestIsOneJob(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	first := e.create(t, example, isKey+"a key, of 1 to 255 characters ~")
	if again := e.create(t, example, isKey+"a key, of 1 to 255 characters ~"); again.ID != first.ID || !again.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("repeated: %+v, first %+v", again, first)
	}
	e.expectStored(t, 1)
	if other := e.create(t, example, isKey+"another"); other.ID == first.ID {
		t.Error("another key is the same job")
	}
	if without := e.create(t, example); without.ID == first.ID {
		t.Error("no key is the same job")
	}
	e.expectStored(t, 3)

	spec := events.Spec{Source: events.Source{URL: exampleURL}, Mode: events.Create, Priority: events.Normal, CreatedAt: noon}
	status.tell(events.Status{ID: first.ID, State: events.StateRunning, Run: 1, Attempt: 1, Spec: spec})
	if again := e.create(t, example, isKey+"a key, of 1 to 255 characters ~"); again.State != openapi.JobStateRunning {
		t.Errorf("repeated while the job runs: %+v", again)
	}
}

func TestRepeatedAtOnceIsOneJob(t *testing.T) {
	e := newEnv(t)
	var calls sync.WaitGroup
	ids := make([]string, 50)
	for i := range ids {
		calls.Go(func() {
			a := e.call(t, http.MethodPost, "/v1/jobs", example, isJSON, isKey+"k")
			if a.status != http.StatusAccepted {
				t.Errorf("answered %d %s", a.status, a.body)
			}
			ids[i] = a.header.Get("Location")
		})
	}
	calls.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("%s and %s", id, ids[0])
		}
	}
	e.expectStored(t, 1)
}

func TestKeyBelongsToOneRequest(t *testing.T) {
	e := newEnv(t)
	job := e.create(t, `{"url":"http://localhost/a.csv?token=1"}`, isKey+"k")
	for _, other := range []string{
		`{"url":"http://localhost/a.csv?token=2"}`,
		`{"url":"http://localhost/a.csv"}`,
		`{"url":"http://localhost/a.csv?token=1","table":"t"}`,
		`{"url":"http://localhost/a.csv?token=1","priority":"urgent"}`,
		`{"url":"http://localhost/a.csv?token=1","ordered":true}`,
	} {
		p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", other, isJSON, isKey+"k"), refusal.IdempotencyConflict)
		if p.Detail == nil || !strings.Contains(*p.Detail, job.ID) {
			t.Errorf("%s: the job is not named", other)
		}
	}
	same := `{"priority":"normal", "ordered":false, "url":"http://localhost/a.csv?token=1"}` // spelt out what is the default
	if again := e.create(t, same, isKey+"k"); again.ID != job.ID {
		t.Errorf("the same request in other words is job %s", again.ID)
	}
	e.expectStored(t, 1)
}

func TestOrderedJob(t *testing.T) {
	e := newEnv(t)
	e.create(t, `{"url":"http://localhost/a.csv","ordered":true}`)
	message := e.stored(t, bus.JobsStream)[0]
	if job, err := events.DecodeJob(message.Data); err != nil || !job.Spec.Ordered {
		t.Errorf("queued is %s (%v)", message.Data, err)
	}
}

func TestMalformedKey(t *testing.T) {
	e := newEnv(t)
	for name, keys := range map[string][]string{
		"empty":     {isKey},
		"blank":     {isKey + "  "},
		"too long":  {isKey + strings.Repeat("k", 256)},
		"not ASCII": {isKey + "schlüssel"},
		"a tab":     {isKey + "a\tb"},
		"two":       {isKey + "a", isKey + "b"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, e.call(t, http.MethodPost, "/v1/jobs", example, append(keys, isJSON)...), refusal.InvalidRequest)
		})
	}
	e.expectStored(t, 0)
	e.create(t, example, isKey+strings.Repeat("k", 255))
}

// TestCreatorDiedHalfway holds that a job that exists but was never queued is queued by a repeated request, as it was.
func TestCreatorDiedHalfway(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	key := "k"
	id, err := newID("", &key)
	if err != nil {
		t.Fatal(err)
	}
	file, _ := parseURL(exampleURL)
	asked := request{source: source{url: file}, priority: events.Normal}
	spec := events.Spec{
		Source: events.Source{URL: exampleURL}, Schema: "public", Mode: events.Create, Priority: events.Normal, CreatedAt: noon,
	}
	created := events.New(id, events.Position{Run: 1}, noon, identity, events.Created{Spec: spec, RequestHash: asked.hash(e.api.sealer)})
	if _, err := e.bus.Events.PublishFirst(ctx, created); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if job := e.create(t, example, isKey+key); job.ID != id || !job.CreatedAt.Equal(noon) {
			t.Errorf("answered %+v, want job %s of %s", job, id, noon)
		}
	}
	e.expectStored(t, 1)
	if job, err := events.DecodeJob(e.stored(t, bus.JobsStream)[0].Data); err != nil || !reflect.DeepEqual(job.Spec, spec) {
		t.Errorf("queued is %+v (%v), want %+v", job.Spec, err, spec)
	}
}

// TestRepeatedAfterTheEnd holds that a message which a worker has taken off does not come back, and that no other run's
// message is disturbed.
func TestRepeatedAfterTheEnd(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	job := e.create(t, example, isKey+"k")
	lane, err := e.bus.Jobs.Lane(ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := lane.Next(jetstream.FetchContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	if err := msg.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	if again := e.create(t, example, isKey+"k"); again.ID != job.ID {
		t.Errorf("answered %+v", again)
	}
	if n := len(e.stored(t, bus.JobsStream)); n != 0 {
		t.Errorf("%d messages came back", n)
	}
	spec := events.Spec{Source: events.Source{URL: exampleURL}, Schema: "public", Mode: events.Create, Priority: events.Normal, CreatedAt: noon}
	if _, err := e.bus.Jobs.Publish(ctx, events.NewJob(job.ID, 2, spec)); err != nil {
		t.Fatal(err)
	}
	if again := e.create(t, example, isKey+"k"); again.ID != job.ID {
		t.Errorf("answered %+v", again)
	}
	if queued := e.stored(t, bus.JobsStream); len(queued) != 1 {
		t.Errorf("%d messages on the queue, want that of the second run", len(queued))
	}
}

func TestCallerMayGoAway(t *testing.T) {
	e := newEnv(t)
	ctx := testenv.Context(t)
	done := make(chan error, 1)
	go func() {
		_, err := e.api.create(canceled(ctx), request{source: source{url: mustParse(t, exampleURL)}, priority: events.Normal}, nil)
		done <- err
	}()
	if err := <-done; err != nil {
		t.Errorf("creating a job whose caller has gone: %v", err)
	}
	e.expectStored(t, 1)
}

func TestManyJobsAtOnce(t *testing.T) {
	e := newEnv(t)
	var calls sync.WaitGroup
	for i := range 50 {
		calls.Go(func() {
			a := e.call(t, http.MethodPost, "/v1/jobs", fmt.Sprintf(`{"url":"http://localhost/%d.csv"}`, i), isJSON)
			if a.status != http.StatusAccepted {
				t.Errorf("answered %d %s", a.status, a.body)
			}
		})
	}
	calls.Wait()
	e.expectStored(t, 50)
}
