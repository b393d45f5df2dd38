package ingester_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

// busy returns the URL of a file that is not available at first, in the given number of answers.
func busy(t testing.TB, answers int, retryAfter string) (url string, rows int64) {
	t.Helper()
	var fields []string
	if retryAfter != "" {
		fields = append(fields, "Retry-After: "+retryAfter)
	}
	head, tail := numbered(2000)
	all := slices.Repeat([]testenv.Answer{testenv.Status(http.StatusServiceUnavailable, fields...)}, answers)
	return testenv.StartWeb(t).On("/file.csv", append(all, testenv.File(head+tail))...), 2000
}

func attempts(n int) setting {
	return func(c *ingester.Config, _ *ingester.Parts) { c.MaxAttempts = n }
}

func backoff(d time.Duration) setting {
	return func(c *ingester.Config, _ *ingester.Parts) { c.Backoff = d }
}

func TestFailureThatMayPassIsRetried(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	url, rows := busy(t, 2, "")
	job := e.submit(newJob(url))
	if end := e.awaitEnd(job, events.StateSucceeded, rows); end.Attempt != 3 || end.Claim != 3 {
		t.Errorf("ended as %+v", end.Position)
	}
	e.expectHistory(job, "started retrying started retrying started succeeded")
}

// TestReleasedJobWaits holds what others see of a job between two attempts.
func TestReleasedJobWaits(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	w := e.start("w1", backoff(time.Minute))
	url, rows := busy(t, 1, "")
	job := e.submit(newJob(url))
	retrying := e.await(job, events.TypeRetrying)
	e.end(w) // the release is through
	wait := retrying.Data.(events.Retrying).NextAttemptAt.Sub(retrying.At)
	if f := retryingFailure(retrying); f == nil || f.Code != events.CodeSourceUnavailable || wait < time.Minute || wait > 73*time.Second {
		t.Errorf("retrying in %s because of %v", wait, f)
	}
	want := bus.Register{State: bus.Released, Run: 1, Claim: 1, Worker: "w1", Attempt: 1, Opened: true}
	if r := e.register(job); r.State != want.State || r.Attempt != 1 || r.Claim != 1 || !r.Opened {
		t.Errorf("the register says %+v, want %+v", r, want)
	}
	e.start("w2")
	e.lapse(job, 1, 1, 1) // the minute is over
	if end := e.awaitEnd(job, events.StateSucceeded, rows); end.Attempt != 2 {
		t.Errorf("ended as %+v", end.Position)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	url, rows := busy(t, 1, "2")
	job := e.submit(newJob(url))
	e.awaitEnd(job, events.StateSucceeded, rows)
	retrying, started := e.await(job, events.TypeRetrying), e.await(job, events.TypeStarted)
	if waited := started.At.Sub(retrying.At); waited < 1900*time.Millisecond {
		t.Errorf("waited for %s", waited)
	}
	if next := retrying.Data.(events.Retrying).NextAttemptAt; started.At.Before(next.Add(-100 * time.Millisecond)) {
		t.Errorf("announced for %s, started at %s", next, started.At)
	}
}

func TestAttemptsAreExhausted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1", attempts(3))
	url, _ := busy(t, 1000, "")
	job := e.submit(newJob(url))
	f := failure(e.awaitEnd(job, events.StateFailed, 0))
	if f.Code != events.CodeAttemptsExhausted || f.Retryable || !strings.Contains(f.Message, string(events.CodeSourceUnavailable)) {
		t.Errorf("failed with %+v", f)
	}
	e.expectHistory(job, "started retrying started retrying started failed")
}

func TestPermanentFailureEndsTheJobAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	job := e.submit(newJob(missing(t)))
	if f := failure(e.awaitEnd(job, events.StateFailed, 0)); f.Code != events.CodeSourceNotFound || f.Retryable {
		t.Errorf("failed with %+v", f)
	}
	e.expectHistory(job, "started failed")
}

// TestWorkersThatAreKilled holds that a job that kills its workers ends, and that it names the last cause that any of
// them told of in this run.
func TestWorkersThatAreKilled(t *testing.T) {
	t.Parallel()
	told := events.Retrying{Failure: events.Failf(events.CodeSourceStalled, "it stalls"), NextAttemptAt: time.Now()}
	for name, tt := range map[string]struct {
		told int // in which run
		want string
	}{
		"without a word":       {want: "killed"},
		"after a report":       {told: 2, want: string(events.CodeSourceStalled)},
		"in the run after one": {told: 1, want: "killed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job := newJob(file.url)
			if tt.told > 0 {
				job.Run = tt.told
				e.report(job, events.Position{Claim: 1, Attempt: 1}, told)
			}
			job.Run = 2
			e.rewrite(job, func(r *bus.Register) bool {
				*r = bus.Register{State: bus.Claimed, Run: 2, Claim: 5, Worker: "killed", Attempt: 3, Opened: true}
				return true
			})
			e.start("w1", attempts(3))
			e.submit(job)
			f := failure(e.awaitEnd(job, events.StateFailed, 0))
			if f.Code != events.CodeAttemptsExhausted || !strings.Contains(f.Message, tt.want) || file.asked() != 0 {
				t.Errorf("failed with %+v, after %d requests", f, file.asked())
			}
		})
	}
}
