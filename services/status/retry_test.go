package status

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestRetryDependsOnTheState holds what a retry does with a job in each state.
func TestRetryDependsOnTheState(t *testing.T) {
	t.Parallel()
	started := events.Started{Spec: jobSpec}
	for name, tt := range map[string]struct {
		then []events.Payload // what happened to the job, after it was queued
		code string
	}{
		"queued":     {nil, events.QueryUnfinished},
		"running":    {[]events.Payload{started}, events.QueryUnfinished},
		"retrying":   {[]events.Payload{started, events.Retrying{NextAttemptAt: noon}}, events.QueryUnfinished},
		"cancelling": {[]events.Payload{started, events.CancelRequested{}}, events.QueryUnfinished},
		"succeeded":  {[]events.Payload{started, events.Succeeded{}}, events.QuerySucceeded},
		"failed":     {[]events.Payload{started, events.Failed{}}, ""},
		"cancelled":  {[]events.Payload{events.Cancelled{}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, ctx := testenv.StartNATS(t), testenv.Context(t)
			b := n.Bus("test")
			start(ctx, t, n.Bus("status"), time.Hour)
			end(ctx, t, b, tt.then...)
			s, code := ask[events.Status](ctx, t, b, events.SubjectStatusRetry, events.Retry{ID: jobID})
			if code != tt.code {
				t.Fatalf("answered %+v with code %q", s, code)
			}
			runs := 0
			if tt.code == "" {
				runs = 1
				if s.ID != jobID || s.State != events.StateQueued || s.Run != 2 || s.Spec.Priority != events.Normal {
					t.Errorf("answered %+v", s)
				}
			}
			expectRuns(ctx, t, b, runs)
		})
	}
}

func TestRetryOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	for _, id := range []string{"*", "", "nobody"} {
		if _, code := ask[events.Status](ctx, t, b, events.SubjectStatusRetry, events.Retry{ID: id}); code != events.QueryNotFound {
			t.Errorf("job %q: %s", id, code)
		}
	}
}

// TestRetriesAtOnceBeginOneRun asks two replicas 20 times at once, in each of three runs.
func TestRetriesAtOnceBeginOneRun(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status-a"), time.Hour)
	start(ctx, t, n.Bus("status-b"), time.Hour)
	end(ctx, t, b, events.Started{Spec: jobSpec}, events.Failed{})
	for run := 2; run < 5; run++ {
		var asking sync.WaitGroup
		answers := make(chan string, 20)
		for range cap(answers) {
			asking.Go(func() {
				s, code := ask[events.Status](ctx, t, b, events.SubjectStatusRetry, events.Retry{ID: jobID})
				answers <- fmt.Sprint(code, s.State, s.Run)
			})
		}
		asking.Wait()
		close(answers)
		begun := fmt.Sprint("", events.StateQueued, run)
		var got []string
		for a := range answers {
			got = append(got, a)
			if a != begun && a != fmt.Sprint(events.QueryUnfinished, "", 0) {
				t.Errorf("run %d: answered is %s", run, a)
			}
		}
		if !slices.Contains(got, begun) {
			t.Errorf("run %d: nobody was told that it has begun: %v", run, got)
		}
		expectRuns(ctx, t, b, run-1)
		takeOff(ctx, t, b)
		publish(ctx, t, b, event(run, run, run, 1, 1, events.Started{Spec: jobSpec}))
		get(ctx, t, b, publish(ctx, t, b, event(run, run, run, 1, 2, events.Failed{})))
	}
}

// TestRetriedRunIsShownAsItself holds that nothing of the run before shines through.
func TestRetriedRunIsShownAsItself(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	end(ctx, t, b, events.Started{Spec: jobSpec}, events.Progress{Figures: rows(7)}, events.CancelRequested{},
		events.Failed{Failure: *events.Failf(events.CodeNotCSV, "a web page"), Figures: rows(9)})
	if s := get(ctx, t, b, 0); s.Failure == nil || s.Figures.Rows != 9 || s.Attempt != 1 || s.FinishedAt == nil {
		t.Fatalf("before, it looks %+v", s)
	}
	s, code := ask[events.Status](ctx, t, b, events.SubjectStatusRetry, events.Retry{ID: jobID})
	if code != "" {
		t.Fatal(code)
	}
	queued, _, _, err := b.Events.Last(ctx, jobID, events.TypeQueued)
	if err != nil || queued.Run != 2 {
		t.Fatalf("queued is %+v (%v)", queued, err)
	}
	testenv.Eventually(ctx, t, "the place in the queue", func() error {
		if s = get(ctx, t, b, 0); s.QueuePosition != 1 {
			return fmt.Errorf("it is at %d", s.QueuePosition)
		}
		return nil
	})
	if s.State != events.StateQueued || s.Run != 2 || s.Attempt != 0 || s.Failure != nil || s.Figures != (events.Figures{}) ||
		s.StartedAt != nil || s.FinishedAt != nil {
		t.Errorf("it looks %+v", s)
	}
	publish(ctx, t, b, event(8, 2, 2, 1, 1, events.Started{Spec: jobSpec}))
	s = get(ctx, t, b, publish(ctx, t, b, event(9, 2, 2, 1, 2, events.Progress{Figures: rows(3)})))
	if s.State != events.StateRunning || s.Attempt != 1 || s.Figures.Rows != 3 || s.QueuePosition != 0 || s.StartedAt == nil {
		t.Errorf("running, it looks %+v", s)
	}
}

// TestRetryOfACancelledJobStillOnTheQueue holds that the new run waits until a worker has taken off the old one's message.
func TestRetryOfACancelledJobStillOnTheQueue(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), soon)
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
	awaitQueued(ctx, t, b, jobID, 1, 1)
	if s, code := ask[events.Status](ctx, t, b, events.SubjectStatusCancel, events.Cancel{ID: jobID}); s.State != events.StateCancelled {
		t.Fatalf("cancelled is %+v %s", s, code)
	}
	if s, code := ask[events.Status](ctx, t, b, events.SubjectStatusRetry, events.Retry{ID: jobID}); s.Run != 2 || s.State != events.StateQueued {
		t.Fatalf("retried is %+v %s", s, code)
	}
	if job := takeOff(ctx, t, b); job.Run != 1 { // what a worker does that meets it
		t.Fatalf("queued is run %d", job.Run)
	}
	awaitQueued(ctx, t, b, jobID, 2, 2)
	if job := takeOff(ctx, t, b); job.Run != 2 {
		t.Errorf("queued is run %d", job.Run)
	}
	s, code := ask[events.Status](ctx, t, b, events.SubjectStatusCancel, events.Cancel{ID: jobID})
	if s.State != events.StateCancelled || s.Run != 2 {
		t.Errorf("cancelled again, it is %+v %s", s, code)
	}
}

// end tells of a job that was created and queued, and then what else happened to it in its first claim.
func end(ctx context.Context, t testing.TB, b *bus.Bus, then ...events.Payload) {
	t.Helper()
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
	sequence := publish(ctx, t, b, event(1, 1, 0, 0, 0, events.Queued{Sequence: 1}))
	for i, data := range then {
		sequence = publish(ctx, t, b, event(i+2, 1, 1, 1, i+1, data))
	}
	get(ctx, t, b, sequence)
}

// expectRuns checks how often the job has been redriven, and that its last run is on the queue.
func expectRuns(ctx context.Context, t testing.TB, b *bus.Bus, redriven int) {
	t.Helper()
	got := 0
	for _, err := range b.Events.History(ctx, events.EventSubject(jobID, events.TypeRedriven), 1) {
		if err != nil {
			t.Fatal(err)
		}
		got++
	}
	job, queued, err := b.Jobs.Queued(ctx, events.Normal, jobID)
	if err != nil || got != redriven || queued != (redriven > 0) || queued && job.Run != redriven+1 {
		t.Errorf("it is redriven %d times, queued %v: %+v (%v), want %d times", got, queued, job, err, redriven)
	}
}

// takeOff takes a message off the queue.
func takeOff(ctx context.Context, t testing.TB, b *bus.Bus) events.Job {
	t.Helper()
	lane, err := b.Jobs.Lane(ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	m, err := lane.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	job, err := events.DecodeJob(m.Data())
	if err != nil {
		t.Fatal(err)
	}
	return job
}
