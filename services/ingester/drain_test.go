package ingester_test

import (
	"context"
	"testing"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestShutdownHandsOver holds that a worker that is told to stop gives its job to another one at once, and that this
// costs no attempt.
func TestShutdownHandsOver(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	w := e.start("w1")
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	begun := time.Now()
	e.end(w)
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
	retrying := e.await(job, events.TypeRetrying)
	if f := retryingFailure(retrying); f != nil || retrying.Data.(events.Retrying).NextAttemptAt.Sub(retrying.At) > time.Second {
		t.Errorf("retrying as %+v", retrying)
	}
	if r := e.register(job); r.State != bus.Released || r.Attempt != 0 || !r.Opened {
		t.Errorf("the register says %+v", r)
	}
	begun = time.Now()
	e.start("w2")
	e.await(job, events.TypeSucceeded)
	if took := time.Since(begun); took > 8*time.Second { // less than the lease
		t.Errorf("the next worker had it after %s", took)
	}
	if end := e.awaitEnd(job, events.StateSucceeded, file.rows); end.By != "ingester/w2" || end.Attempt != 1 {
		t.Errorf("ended by %s as %+v", end.By, end.Position)
	}
	e.expectHistory(job, "started retrying started succeeded")
}

// TestCancelDuringShutdown holds that a cancel that the watch of a stopping worker cannot tell of is settled all the same.
func TestCancelDuringShutdown(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for range 5 {
		file := holding(t, 1)
		w := e.start("w1")
		job := e.submit(newJob(file.url))
		e.awaitBatches(job)
		w.stop()
		was := e.rewrite(job, cancelling)
		if err := <-w.ended; err != nil {
			t.Error(err)
		}
		if was.State == bus.Released { // the cancel came after the hand-over
			w = e.start("w2")
		}
		e.awaitEnd(job, events.StateCancelled, 0)
		if was.State == bus.Released {
			e.end(w)
		}
	}
}

// TestShutdownWithoutAJob holds that an idle worker ends at once.
func TestShutdownWithoutAJob(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	w := e.start("w1")
	begun := time.Now()
	e.end(w)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestShutdownAtAnyMoment stops workers while they fetch, claim, open and load, and holds that nobody has to wait for the
// end of a lease.
func TestShutdownAtAnyMoment(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 0)
	for i := range 12 {
		w := e.start("first")
		job := e.submit(newJob(file.url))
		moment, done := context.WithTimeout(e.ctx, time.Duration(i)*time.Millisecond)
		<-moment.Done()
		done()
		e.end(w)
		w = e.start("second")
		begun := time.Now()
		e.awaitOff()
		if took := time.Since(begun); took > 8*time.Second { // less than the lease
			t.Errorf("stopped after %d ms, the job took %s more", i, took)
		}
		if end := e.await(job, events.TypeSucceeded); end.Attempt != 1 {
			t.Errorf("stopped after %d ms, it ended as %+v", i, end.Position)
		}
		e.end(w)
	}
	e.expectTables(12)
}
