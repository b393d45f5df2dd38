package api

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/pkg/seal"
)

var (
	noon  = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	noKey seal.Sealer
)

// statusDouble plays the status service: of a job it says what a test has told it, else that the job waits, if it was
// created.
type statusDouble struct {
	env *env
	ctx context.Context // ends with the test

	mu      sync.Mutex
	told    map[string]events.Status
	late    map[string]uint64 // up to which sequence of a job one must know to hear what is told of it, and else that it runs
	page    events.Page
	lanes   events.Lanes
	asked   []events.List
	waited  []events.Waiting
	failure string // error code that every question is answered with
	refusal string // error code that every cancel and retry is answered with
}

func (e *env) playStatus(t testing.TB) *statusDouble {
	t.Helper()
	d := &statusDouble{env: e, ctx: t.Context(), told: map[string]events.Status{}, late: map[string]uint64{}}
	nc := e.nats.Connect("status")
	service, err := micro.AddService(nc, micro.Config{Name: "status", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Stop() })
	for name, answer := range map[string]struct {
		subject string
		handler func(testing.TB, micro.Request) error
	}{
		"get":     {events.SubjectStatusGet, d.get},
		"list":    {events.SubjectStatusList, d.list},
		"cancel":  {events.SubjectStatusCancel, d.cancel},
		"retry":   {events.SubjectStatusRetry, d.cancel},
		"waiting": {events.SubjectStatusWaiting, d.waiting},
	} {
		handler := micro.HandlerFunc(func(r micro.Request) {
			if err := answer.handler(t, r); err != nil {
				t.Errorf("%s: %v", r.Subject(), err)
			}
		})
		if err := service.AddEndpoint(name, handler, micro.WithEndpointSubject(answer.subject)); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *statusDouble) tell(s events.Status) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told[s.ID] = s
}

// tellLate is tell for those only who know of a job's event with that sequence, or of a later one.
func (d *statusDouble) tellLate(s events.Status, sequence uint64) {
	d.tell(s)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.late[s.ID] = sequence
}

func (d *statusDouble) get(_ testing.TB, r micro.Request) error {
	var question events.Get
	if err := json.Unmarshal(r.Data(), &question); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure != "" {
		return r.Error(d.failure, "told to fail, by nats://inside", nil)
	}
	if s, ok := d.told[question.ID]; ok {
		if question.Sequence < d.late[question.ID] {
			s = events.Status{ID: s.ID, State: events.StateRunning, Run: s.Run, Spec: s.Spec}
		}
		return r.RespondJSON(s)
	}
	e, _, found, err := d.env.bus.Events.Last(d.ctx, question.ID, events.TypeCreated)
	if err != nil {
		return err
	}
	created, ok := e.Data.(events.Created)
	if !found || !ok {
		return r.Error(events.QueryNotFound, "no such job", nil)
	}
	return r.RespondJSON(events.Status{ID: question.ID, State: events.StateQueued, Run: 1, Spec: created.Spec, QueuePosition: 1})
}

// cancels sets the error code that cancels and retries are answered with; "" lets them be answered as questions are.
func (d *statusDouble) cancels(code string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusal = code
}

func (d *statusDouble) cancel(t testing.TB, r micro.Request) error {
	d.mu.Lock()
	refusal := d.refusal
	d.mu.Unlock()
	if refusal != "" {
		return r.Error(refusal, "told to refuse, by nats://inside", nil)
	}
	return d.get(t, r)
}

func (d *statusDouble) list(_ testing.TB, r micro.Request) error {
	var question events.List
	if err := json.Unmarshal(r.Data(), &question); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, question)
	if d.failure != "" {
		return r.Error(d.failure, "told to fail, by nats://inside", nil)
	}
	return r.RespondJSON(d.page)
}

// waiting counts the jobs that were created with a key and of which nothing else was told; of all jobs it says what it was told.
func (d *statusDouble) waiting(t testing.TB, r micro.Request) error {
	var question events.Waiting
	if err := json.Unmarshal(r.Data(), &question); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure != "" {
		return r.Error(d.failure, "told to fail, by nats://inside", nil)
	}
	if question.Submitter == "" {
		return r.RespondJSON(d.lanes)
	}
	d.waited = append(d.waited, question)
	lanes := events.Lanes{Queued: map[events.Priority]int{}, Totals: map[events.State]int{}}
	for _, message := range d.env.stored(t, bus.EventsStream) {
		e, err := events.Decode(message.Data)
		if err != nil {
			return err
		}
		created, ok := e.Data.(events.Created)
		if !ok || created.Spec.Submitter != question.Submitter {
			continue
		}
		if told, ok := d.told[e.JobID]; !ok || told.State == events.StateQueued {
			lanes.Queued[created.Spec.Priority]++
		}
	}
	return r.RespondJSON(lanes)
}

// askedWaiting are the questions for how many jobs wait.
func (d *statusDouble) askedWaiting() []events.Waiting {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.waited)
}

// lastList is the question for a page that was asked last.
func (d *statusDouble) lastList() events.List {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[len(d.asked)-1]
}
