package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

func TestRetry(t *testing.T) {
	const id = "01a1ff8e-7160-7994-90cf-204ee61cbd5a"
	for name, tt := range map[string]struct {
		code string // with which status refuses
		want refusal.Code
	}{
		"accepted":    {"", ""},
		"under way":   {events.QueryUnfinished, refusal.NotFinished},
		"succeeded":   {events.QuerySucceeded, refusal.NotRetryable},
		"unknown":     {events.QueryNotFound, refusal.JobNotFound},
		"broken":      {events.QueryFailed, refusal.StatusUnavailable},
		"not a right": {events.QueryInvalid, refusal.StatusUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			double := e.playStatus(t)
			double.cancels(tt.code)
			double.tell(events.Status{ID: id, State: events.StateQueued, Run: 2, Spec: events.Spec{Priority: events.Normal, Mode: events.Create}})
			a := e.call(t, http.MethodPost, "/v1/jobs/"+strings.ToUpper(id)+"/retry", "")
			if tt.want != "" {
				refused(t, a, tt.want)
				return
			}
			if j := decoded[openapi.Job](t, a); a.status != http.StatusAccepted || j.ID != id || j.State != openapi.JobStateQueued {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestRetryRefusedEarly(t *testing.T) {
	e := newEnv(t)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs/01a1ff8e-7160-7994-90cf-204ee61cbd5a/retry", ""), refusal.StatusUnavailable)
	e.playStatus(t)
	for _, id := range []string{"x", "*", "01a1ff8e"} {
		refused(t, e.call(t, http.MethodPost, "/v1/jobs/"+id+"/retry", ""), refusal.JobNotFound)
	}
	refused(t, e.get(t, "/v1/jobs/01a1ff8e-7160-7994-90cf-204ee61cbd5a/retry"), refusal.MethodNotAllowed)
}

// TestCreationRepeatedAfterARetry holds that it leaves the run alone which is on the queue, whether the server remembers
// the message of the first one or not.
func TestCreationRepeatedAfterARetry(t *testing.T) {
	for name, restart := range map[string]bool{"remembered": false, "forgotten": true} {
		t.Run(name, func(t *testing.T) {
			e, ctx := newEnv(t), testenv.Context(t)
			e.playStatus(t)
			job := e.create(t, example, isKey+"a")
			js, err := jetstream.New(e.bus.Conn)
			if err != nil {
				t.Fatal(err)
			}
			queue, err := js.Stream(ctx, bus.JobsStream)
			if err != nil {
				t.Fatal(err)
			}
			if err := queue.Purge(ctx); err != nil { // as if a worker had ended it
				t.Fatal(err)
			}
			created, _, _, err := e.bus.Events.Last(ctx, job.ID, events.TypeCreated)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.bus.Jobs.Publish(ctx, events.NewJob(job.ID, 2, created.Data.(events.Created).Spec)); err != nil {
				t.Fatal(err)
			}
			if restart {
				e.stopNATS(ctx, t)
				e.nats.Start()
				testenv.Eventually(ctx, t, "reconnecting", func() error { return e.bus.Conn.FlushWithContext(ctx) })
			}
			if again := e.create(t, example, isKey+"a"); again.ID != job.ID {
				t.Errorf("asked again, it is job %s", again.ID)
			}
			left := e.stored(t, bus.JobsStream)
			if len(left) != 1 {
				t.Fatalf("%d messages are queued", len(left))
			}
			if queued, err := events.DecodeJob(left[0].Data); err != nil || queued.Run != 2 {
				t.Errorf("queued is %+v (%v)", queued, err)
			}
		})
	}
}
