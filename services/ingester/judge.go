package ingester

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// How an attempt ends, other than by an error of its work.
var (
	errEnded           = errors.New("the job has ended and its message is off the queue")
	errReleased        = errors.New("the job was given back")
	errDraining        = errors.New("this worker is being shut down")
	errCancelRequested = errors.New("the job is to be cancelled")
	errOwnershipLost   = errors.New("the job is another worker's now")
)

// ledgerError marks an error of opening the ledger, or of recording in it how the run ends. It says nothing of the file.
type ledgerError struct{ error }

func (e ledgerError) Unwrap() error { return e.error }

func asLedgerError(err error) error {
	if err == nil {
		return nil
	}
	return ledgerError{err}
}

const (
	maxPasses  = 10 // times that one attempt may open the ledger
	maxBackoff = 10 * time.Minute
	maxTurn    = 15 * time.Second // between two tries for a table that others use
)

// action is what an error means for the job.
type action int

const (
	dropJob    action = iota // leave it to another worker, or to its lease's end
	openAgain                // ask the ledger, which knows what was committed
	failJob                  // record and report the failure
	cancelJob                // record and report the cancel
	releaseJob               // give it back for its next attempt
	endJob                   // acknowledge: there is nothing left to do
)

func (a action) String() string {
	return [...]string{"drop", "open again", "fail", "cancel", "release", "end"}[a]
}

type verdict struct {
	action  action
	failure *events.Failure // why, for failJob and releaseJob; nil for a hand-over
	delay   time.Duration   // before the next attempt, for releaseJob
	spent   bool            // whether the attempt counts, for releaseJob
}

// circumstances are what a verdict depends on besides the error.
type circumstances struct {
	pass        int // of this attempt over the ledger, from 1
	inVain      int // attempts in a row that have come no further, this one included; 0 if it has
	maxAttempts int
	deliveries  int           // of the message, from 1
	backoff     time.Duration // the first one
	jitter      func(time.Duration) time.Duration
}

// judge decides what an error means. It is the only place that does.
func judge(err error, c circumstances) verdict {
	switch {
	case errors.Is(err, errOwnershipLost):
		return verdict{action: dropJob}
	case errors.Is(err, errCancelRequested):
		return verdict{action: cancelJob}
	case errors.Is(err, errDraining):
		return verdict{action: releaseJob}
	case errors.Is(err, postgres.ErrSuperseded):
		return verdict{action: endJob}
	case errors.Is(err, postgres.ErrUncertain) || errors.Is(err, postgres.ErrFenceLost):
		if c.pass < maxPasses {
			return verdict{action: openAgain}
		}
		return verdict{action: releaseJob, failure: asFailure(err), delay: c.jitter(c.backoff), spent: true}
	}
	failure := asFailure(err)
	_, ledger := errors.AsType[ledgerError](err)
	switch {
	case ledger:
		// The database could not be asked, so the job has done nothing wrong.
		return verdict{action: releaseJob, failure: failure, delay: c.jitter(backoff(c.backoff, c.deliveries))}
	case failure.Code == events.CodeTableBusy:
		// It waits its turn, and its slot is another job's meanwhile.
		return verdict{action: releaseJob, failure: failure, delay: c.jitter(min(backoff(c.backoff, c.deliveries), maxTurn))}
	case failure.Code == events.CodeDatabaseUnavailable && c.pass < maxPasses:
		return verdict{action: openAgain} // which tells a lost connection from a database that is away
	case !failure.Retryable:
		return verdict{action: failJob, failure: failure}
	case c.inVain >= c.maxAttempts:
		return verdict{action: failJob, failure: exhausted(c.maxAttempts, failure)}
	}
	delay := max(c.jitter(backoff(c.backoff, c.inVain)), source.RetryAfter(err))
	return verdict{action: releaseJob, failure: failure, delay: delay, spent: true}
}

// asFailure returns the failure in err, or one that tells the user nothing internal.
func asFailure(err error) *events.Failure {
	var f *events.Failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, postgres.ErrUncertain):
		return events.Failf(events.CodeDatabaseUnavailable, "the database keeps losing the connection while it commits").CausedBy(err)
	case errors.Is(err, postgres.ErrFenceLost):
		return events.Failf(events.CodeDatabaseUnavailable, "another worker keeps taking the job").CausedBy(err)
	case errors.Is(err, context.DeadlineExceeded):
		return events.Failf(events.CodeDatabaseUnavailable, "the database does not answer in time").CausedBy(err)
	}
	return events.Failf(events.CodeInternal, "the ingester met an error of its own; its log tells more").CausedBy(err)
}

// exhausted is the failure of a job whose last attempts all failed, for reasons that might have passed, and came no further.
func exhausted(attempts int, last *events.Failure) *events.Failure {
	f := events.Failf(events.CodeAttemptsExhausted, "%d attempts in a row failed, the last one with %s: %s", attempts, last.Code, last.Message)
	f.Line, f.Column, f.ByteOffset = last.Line, last.Column, last.ByteOffset
	return f
}

// backoff is how long to wait after the nth try.
func backoff(first time.Duration, n int) time.Duration {
	delay := first
	for ; n > 1 && delay < maxBackoff; n-- {
		delay *= 2
	}
	return min(delay, maxBackoff)
}

// jitter adds up to a fifth, so that jobs which failed together do not come back together.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/5+1) //nolint:gosec // not a secret
}

func isCancelRequest(err error) bool { return errors.Is(err, errCancelRequested) }

// isSettled reports whether an attempt ended with nothing left to be said.
func isSettled(err error) bool {
	return errors.Is(err, errEnded) || errors.Is(err, errReleased) || errors.Is(err, errOwnershipLost)
}
