package ingester_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// cancelling is what status writes into the register of a job that a worker may have opened.
func cancelling(r *bus.Register) bool {
	if r.State == bus.Done || r.State == bus.Cancelled {
		return false
	}
	r.State = bus.Cancelling
	return true
}

// TestCancelledByStatus holds that a job that status has cancelled before any worker had it is not begun, and that the
// history tells so, once.
func TestCancelledByStatus(t *testing.T) {
	t.Parallel()
	for name, reported := range map[string]bool{"reported": true, "killed before its report": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job := newJob(file.url)
			e.rewrite(job, func(r *bus.Register) bool { r.State, r.Run = bus.Cancelled, 1; return true })
			if reported {
				e.report(job, events.Position{}, events.Cancelled{})
			}
			e.start("w1")
			e.submit(job)
			e.awaitOff()
			e.expectHistory(job, "cancelled")
			e.expectNothing(job)
			if file.asked() != 0 {
				t.Error("the file was asked for")
			}
		})
	}
}

// TestCancelBeforeTheNextAttempt holds that a worker that meets a job which is to be cancelled settles that.
func TestCancelBeforeTheNextAttempt(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 0)
	job := newJob(file.url)
	e.rewrite(job, func(r *bus.Register) bool {
		*r = bus.Register{State: bus.Cancelling, Run: 1, Claim: 2, Worker: "gone", Attempt: 1, Opened: true}
		return true
	})
	e.start("w1")
	e.submit(job)
	e.awaitEnd(job, events.StateCancelled, 0)
	e.expectHistory(job, "cancelled")
	if file.asked() != 0 {
		t.Error("the file was asked for")
	}
}

func TestCancelInMidLoad(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	e.start("w1")
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	asked := time.Now()
	e.rewrite(job, cancelling)
	end := e.await(job, events.TypeCancelled)
	took := time.Since(asked)
	if took > time.Second {
		t.Errorf("it took %s", took)
	}
	if figures := end.Data.(events.Cancelled).Figures; figures.Rows == 0 || figures.Phase != events.PhaseLoading {
		t.Errorf("its figures are %+v", figures)
	}
	e.awaitEnd(job, events.StateCancelled, 0)
	e.expectHistory(job, "started cancelled")
}

// TestCancelWhilePostgresIsAway holds that a cancel that cannot be settled yet waits for the next attempt, and is not
// reported as a retry.
func TestCancelWhilePostgresIsAway(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	wire, proxied := e.proxiedDatabase()
	e.start("w1", proxied, inOneBatch)
	job := e.submit(newJob(file.url))
	e.awaitStaging()
	wire.Cut()
	e.rewrite(job, cancelling)
	testenv.Eventually(e.ctx, t, "another claim", func() error {
		if e.register(job).Claim < 3 {
			return errors.New("none yet")
		}
		return nil
	})
	wire.Restore()
	e.awaitEnd(job, events.StateCancelled, 0)
	// The worker may notice the loss before the cancel, and then says that it will try again, once.
	if got := e.types(job); got != "started cancelled" && got != "started retrying cancelled" {
		t.Errorf("the history is %q", got)
	}
}

// TestCancelAtTheClaim cancels a job between the two writes of a claim, when status may take it for one that no worker
// has.
func TestCancelAtTheClaim(t *testing.T) {
	t.Parallel()
	for _, state := range []bus.Ownership{bus.Cancelling, bus.Cancelled} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job, resume := e.claimHalfway(file)
			e.rewrite(job, func(r *bus.Register) bool { r.State = state; return true })
			resume()
			begun := time.Now()
			e.await(job, events.TypeCancelled)
			e.awaitOff()
			if took := time.Since(begun); took > 5*time.Second { // less than the lease
				t.Errorf("it took %s", took)
			}
			e.expectHistory(job, "started cancelled")
			e.expectNothing(job)
			if file.asked() != 0 {
				t.Error("the file was asked for")
			}
		})
	}
}

// TestCancelAgainstCommit cancels at any moment of a load: then nothing is to be seen, or everything.
func TestCancelAgainstCommit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	file := holding(t, 0)
	succeeded := 0
	for range 30 {
		job := e.submit(newJob(file.url))
		e.await(job, events.TypeStarted)
		moment, done := context.WithTimeout(e.ctx, rand.N(80*time.Millisecond))
		<-moment.Done()
		done()
		e.rewrite(job, cancelling)
		e.awaitOff()
		switch types := e.types(job); types {
		case "started succeeded":
			succeeded++
			e.expectRows(job, file.rows)
		case "started cancelled":
			if n := e.batches(job); n != 0 {
				t.Errorf("%d batches are left", n)
			}
		default:
			t.Errorf("the history is %q", types)
		}
		e.expectTables(succeeded)
	}
	t.Logf("%d of 30 were committed before the cancel", succeeded)
}
