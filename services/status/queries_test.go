package status

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestRefusals(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	serve(ctx, t, b, newIndex(time.Now))
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}))
	tests := []struct {
		name, subject string
		question      any
		want          string
	}{
		{"unknown job", events.SubjectStatusGet, events.Get{ID: "unknown"}, "404"},
		{"unknown job with a sequence", events.SubjectStatusGet, events.Get{ID: "unknown", Sequence: 7}, "404"},
		{"no job", events.SubjectStatusGet, events.Get{}, "404"},
		{"any job", events.SubjectStatusGet, events.Get{ID: "*"}, "404"},
		{"all jobs", events.SubjectStatusGet, events.Get{ID: ">"}, "404"},
		{"more than a name", events.SubjectStatusGet, events.Get{ID: jobID + ".created"}, "404"},
		{"not a name", events.SubjectStatusGet, events.Get{ID: "a b\r\n"}, "404"},
		{"get without JSON", events.SubjectStatusGet, "{", "400"},
		{"get without anything", events.SubjectStatusGet, "", "400"},
		{"get of another shape", events.SubjectStatusGet, `{"id":7}`, "400"},
		{"list without JSON", events.SubjectStatusList, "all", "400"},
		{"list of another shape", events.SubjectStatusList, `[]`, "400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if answer, code := ask[any](ctx, t, b, tt.subject, tt.question); code != tt.want {
				t.Errorf("refused with %q, want %q; the answer is %v", code, tt.want, answer)
			}
		})
	}
}

func TestJobIsKnownBeforeItIsFolded(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	serve(ctx, t, b, newIndex(time.Now))
	sequence := publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Urgent)}))
	for _, known := range []uint64{0, sequence} {
		s := get(ctx, t, b, known)
		if s.ID != jobID || s.State != events.StateQueued || s.Spec.Priority != events.Urgent || s.QueuePosition != 0 {
			t.Errorf("it looks %+v", s)
		}
	}
}

func TestAnswerWaitsForWhatTheCallerKnows(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	x := newIndex(time.Now)
	service := serve(ctx, t, b, x)
	d := documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}), 1)
	write(ctx, t, b, x, d)
	answers := make(chan events.Status, 1)
	go func() {
		s, _ := ask[events.Status](ctx, t, b, events.SubjectStatusGet, events.Get{ID: jobID, Sequence: 2})
		answers <- s
	}()
	testenv.Eventually(ctx, t, "asking", func() error {
		for _, e := range service.Stats().Endpoints {
			if e.Name == "get" && e.NumRequests > 0 {
				return nil
			}
		}
		return fmt.Errorf("no request has come")
	})
	if s := get(ctx, t, b, 1); s.State != events.StateQueued {
		t.Errorf("to one who knows less it is %s", s.State)
	}
	select {
	case s := <-answers:
		t.Errorf("answered %s before what the caller knows is folded", s.State)
	default:
	}
	write(ctx, t, b, x, fold(d, event(1, 1, 1, 1, 1, events.Started{Spec: newSpec(events.Normal)}), 2))
	if s := <-answers; s.State != events.StateRunning {
		t.Errorf("answered %s", s.State)
	}
}

func TestAnswerDoesNotWaitForEver(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	x := newIndex(time.Now)
	serve(ctx, t, b, x)
	write(ctx, t, b, x, documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}), 1))
	begun := time.Now()
	if s := get(ctx, t, b, 1000); s.State != events.StateQueued {
		t.Errorf("answered %s", s.State)
	}
	if took := time.Since(begun); took < maxWait || took > maxWait+5*time.Second {
		t.Errorf("answered after %s", took)
	}
}

func TestListLimits(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	x := newIndex(time.Now)
	serve(ctx, t, b, x)
	for i := range 1100 {
		id := fmt.Sprintf("job-%04d", i)
		x.put(id, documentOf(events.New(id, events.Position{Run: 1}, noon, "test", events.Created{Spec: newSpec(events.Normal)}), 1))
	}
	for limit, want := range map[int]int{-1: 1, 0: 1, 1: 1, 50: 50, 1000: 1000, 5000: 1000} {
		page, code := ask[events.Page](ctx, t, b, events.SubjectStatusList, events.List{Limit: limit})
		if code != "" || len(page.Jobs) != want || page.Next == nil {
			t.Errorf("limit %d: %d jobs, next %v (%s)", limit, len(page.Jobs), page.Next, code)
		}
	}
}

// TestWaitingCountsWhatTheCallerKnows holds that the answer waits for a job that the caller has just created.
func TestWaitingCountsWhatTheCallerKnows(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	x := newIndex(time.Now)
	service := serve(ctx, t, b, x)
	spec := newSpec(events.Urgent)
	spec.Submitter = "key"
	created := event(0, 1, 0, 0, 0, events.Created{Spec: spec})
	publish(ctx, t, b, created)
	answers := make(chan events.Lanes, 1)
	go func() {
		lanes, _ := ask[events.Lanes](ctx, t, b, events.SubjectStatusWaiting, events.Waiting{Submitter: "key", Known: jobID})
		answers <- lanes
	}()
	testenv.Eventually(ctx, t, "asking", func() error {
		for _, e := range service.Stats().Endpoints {
			if e.Name == "waiting" && e.NumRequests > 0 {
				return nil
			}
		}
		return fmt.Errorf("no request has come")
	})
	write(ctx, t, b, x, documentOf(created, 1))
	if lanes := <-answers; lanes.Queued[events.Urgent] != 1 || lanes.Totals[events.StateQueued] != 1 {
		t.Errorf("answered %+v", lanes)
	}
	if lanes, code := ask[events.Lanes](ctx, t, b, events.SubjectStatusWaiting, events.Waiting{Submitter: "other"}); code != "" || len(lanes.Totals) > 0 {
		t.Errorf("of another one it says %+v (%s)", lanes, code)
	}
}

// TestPageFitsIntoAMessage holds that jobs of any size can be listed, in more pages than asked for if need be.
func TestPageFitsIntoAMessage(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	x := newIndex(time.Now)
	serve(ctx, t, b, x)
	const jobs = 1000
	for i := range jobs {
		id := fmt.Sprintf("job-%04d", i)
		created := events.New(id, events.Position{Run: 1}, noon, "test", events.Created{Spec: newSpec(events.Normal)})
		failure := events.Failure{Code: events.CodeNotCSV, Message: strings.Repeat("<", 1000)} // escaped: six bytes each
		if i == 500 {
			failure.Message = strings.Repeat("x", 950<<10)
		}
		failed := events.New(id, events.Position{Run: 1}, noon, "test", events.Failed{Failure: failure})
		x.put(id, fold(documentOf(created, 1), failed, 2))
	}
	met, pages := map[string]bool{}, 0
	for question := (events.List{Limit: jobs}); ; pages++ {
		page, code := ask[events.Page](ctx, t, b, events.SubjectStatusList, question)
		if code != "" || len(page.Jobs) == 0 {
			t.Fatalf("page %d: %d jobs (%s)", pages, len(page.Jobs), code)
		}
		for _, s := range page.Jobs {
			met[s.ID] = true
		}
		if question.After = page.Next; page.Next == nil {
			break
		}
	}
	if len(met) != jobs || pages < 6 {
		t.Errorf("%d jobs on %d pages", len(met), pages)
	}
}

// serve answers from the index, without a fold.
func serve(ctx context.Context, t testing.TB, b *bus.Bus, x *index) micro.Service {
	t.Helper()
	q := queries{bus: b, store: store{b.Documents}, index: x, log: testenv.Log(t)}
	service, err := q.serve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Stop(); err != nil {
			t.Error(err)
		}
	})
	return service
}

// write does what a fold and the watch do.
func write(ctx context.Context, t testing.TB, b *bus.Bus, x *index, d Document) {
	t.Helper()
	if err := (store{b.Documents}).merge(ctx, jobID, d); err != nil {
		t.Fatal(err)
	}
	x.put(jobID, d)
}
