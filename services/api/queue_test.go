package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// playWorker has someone say so of itself when all workers are asked.
func (e *env) playWorker(t testing.TB, w events.Worker) {
	t.Helper()
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	nc := e.nats.Connect("ingester")
	if _, err := nc.Subscribe(events.SubjectIngesterWorkers, func(m *nats.Msg) {
		if err := m.Respond(data); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestQueueAndWorkers(t *testing.T) {
	e := newEnv(t)
	refused(t, e.get(t, "/v1/queue"), refusal.StatusUnavailable)
	d := e.playStatus(t)
	d.lanes = events.Lanes{
		Queued: map[events.Priority]int{events.Urgent: 2, events.Normal: 40},
		Totals: map[events.State]int{events.StateRunning: 3, events.StateRetrying: 4, events.StateCancelling: 1, events.StateQueued: 42},
	}
	want := openapi.Queue{Depth: openapi.QueueDepth{Urgent: 2, Normal: 40}, Running: 3, Retrying: 4, Cancelling: 1}
	if got := decoded[openapi.Queue](t, e.get(t, "/v1/queue")); got != want {
		t.Errorf("without workers the queue is %+v", got)
	}
	if a := e.get(t, "/v1/workers"); a.status != http.StatusOK || string(a.body) != `{"workers":[]}`+"\n" {
		t.Errorf("without workers answered %d %s", a.status, a.body)
	}
	var list []openapi.Worker
	for n := range 5 {
		w := events.Worker{Name: fmt.Sprint("w", n), Version: "v1", StartedAt: noon, Slots: n, Draining: n == 1, Jobs: []string{"a", "b"}[:n%3]}
		list = append(list, openapi.Worker{
			Name: w.Name, Version: "v1", StartedAt: noon, Slots: n, Draining: w.Draining, Jobs: append([]string{}, w.Jobs...),
		})
		e.playWorker(t, w)
	}
	e.playWorker(t, events.Worker{Name: "w9", StartedAt: noon}) // of another version, without jobs
	list = append(list, openapi.Worker{Name: "w9", StartedAt: noon, Jobs: []string{}})
	if got := decoded[openapi.WorkerList](t, e.get(t, "/v1/workers")); !reflect.DeepEqual(got.Workers, list) {
		t.Errorf("the workers are %+v", got.Workers)
	}
	want.Workers, want.Slots = 6, 10
	if got := decoded[openapi.Queue](t, e.get(t, "/v1/queue")); got != want {
		t.Errorf("the queue is %+v", got)
	}
	d.failure = events.QueryFailed
	refused(t, e.get(t, "/v1/queue"), refusal.StatusUnavailable)
}
