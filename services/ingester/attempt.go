package ingester

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// settleTime bounds what an attempt still does once it knows how it ends.
const settleTime = 20 * time.Second

// attempt is this worker's try at one run of a job.
type attempt struct {
	*Service
	job    events.Job
	lease  lease
	owner  ownership
	report *reporter
	log    *slog.Logger
	opened *postgres.Load // latest

	draining chan struct{} // closed when the service is shut down
	copying  atomic.Bool   // whether rows are on their way to the database
	loaded   chan struct{} // closed when this worker is through with the job
}

// aim is what a pass over the ledger is to bring about. The zero aim is to load the file.
type aim struct {
	cancel  bool
	failure *events.Failure
}

// take receives a message from the queue and brings its job to an end, or as far as it gets here.
func (s *Service) take(ctx context.Context, msg jetstream.Msg) {
	job, err := decode(msg)
	if err != nil {
		s.refuse(msg, err)
		return
	}
	ctx = bus.WithTrace(ctx, bus.TraceOf(msg.Headers()))
	loading, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	a := &attempt{
		Service: s, job: job, lease: lease{msg: msg}, owner: ownership{stop: stop},
		report: newReporter(s.parts.Bus.Events, job, s.config.Worker),
		log:    s.config.Log.With("job_id", job.ID), draining: make(chan struct{}), loaded: make(chan struct{}),
	}
	if s.running.enter(a, msg) {
		defer s.running.leave(a)
		defer context.AfterFunc(ctx, a.drain)()
		defer close(a.loaded)
		a.live(ctx, loading)
	}
}

// live is the whole life of a job at this worker. Whatever happens, one of four things is done with the message: it is
// acknowledged once the outcome is recorded and reported, given back for another attempt, dropped because another worker
// has the job, or left to the end of its lease.
//
// ctx ends with the service; loading ends also when the job is cancelled or taken over.
func (a *attempt) live(ctx, loading context.Context) {
	beat, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()
	go a.lease.keep(beat, a.checkRegister)

	goal, err := a.claim(ctx)
	for pass := 1; err == nil; pass++ {
		var outcome *postgres.Outcome
		outcome, err = a.pursue(ctx, loading, goal)
		if err == nil {
			err = a.finish(ctx, outcome)
			break
		}
		v := judge(err, a.circumstances(pass))
		a.logVerdict(v, err)
		switch v.action {
		case openAgain:
			err = a.confirmOwner(ctx)
		case failJob:
			goal.failure, err = v.failure, a.confirmOwner(ctx)
		case releaseJob:
			err = a.release(ctx, v)
		case endJob:
			err = a.acknowledge(ctx)
		case cancelJob:
			err = errCancelRequested
		case dropJob: // err stands, and ends the attempt
		}
		if isCancelRequest(err) {
			goal.cancel, err = true, a.takeCancel(ctx)
		}
	}
	a.logEnd(err)
}

// pursue opens the ledger and does what is aimed at. The ledger may answer that the run has ended long since.
func (a *attempt) pursue(ctx, loading context.Context, goal aim) (*postgres.Outcome, error) {
	settling, done := settle(ctx)
	defer done()
	load, outcome, err := a.parts.Database.Open(settling, postgres.Claim{
		JobID: a.job.ID, Run: a.job.Run, Attempt: a.owner.register().Attempt, Spec: a.job.Spec,
	})
	if err != nil {
		return nil, ledgerError{err}
	}
	a.opened = load
	if outcome == nil && goal == (aim{}) && a.inVain() > a.config.MaxAttempts {
		goal.failure = a.exhausted(settling)
	}
	switch {
	case outcome != nil:
		return outcome, nil
	case goal.cancel:
		outcome, err = load.Cancel(settling, a.report.figures(), time.Now())
		return outcome, asLedgerError(err)
	case goal.failure != nil:
		outcome, err = load.Fail(settling, *goal.failure, a.report.figures(), time.Now())
		return outcome, asLedgerError(err)
	}
	loading, stop := context.WithTimeoutCause(loading, a.config.JobTime,
		events.Failf(events.CodeTimeLimit, "the attempt ran longer than %s", a.config.JobTime))
	defer stop()
	outcome, err = a.loadSafely(loading, load)
	if err != nil && loading.Err() != nil {
		return nil, context.Cause(loading) // what ended the loading, not where it was at that moment
	}
	return outcome, err
}

// loadSafely turns a panic into the failure of this one job.
func (a *attempt) loadSafely(ctx context.Context, load *postgres.Load) (outcome *postgres.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic while loading", "err", p, "stack", string(debug.Stack()))
			err = events.Failf(events.CodeInternal, "the ingester met an error of its own while loading; please report it")
		}
	}()
	return a.load(ctx, load)
}

// inVain is how many attempts in a row have come no further, this one included. What was committed stays, so that a job
// whose source breaks off again and again, or whose workers are killed, comes to its end all the same.
func (a *attempt) inVain() int {
	progress := 0
	if a.opened != nil {
		progress = a.opened.Progress()
	}
	return a.owner.register().Attempt - progress
}

func (a *attempt) circumstances(pass int) circumstances {
	return circumstances{
		pass: pass, inVain: a.inVain(), maxAttempts: a.config.MaxAttempts,
		deliveries: a.lease.deliveries(), backoff: a.config.Backoff, jitter: jitter,
	}
}

func (a *attempt) logVerdict(v verdict, err error) {
	level := slog.LevelInfo // what is wrong with a file is its user's affair, and in the job's status
	if v.failure != nil && v.action != failJob {
		level = slog.LevelWarn
	}
	a.log.Log(context.Background(), level, "load ended early",
		"next", v.action.String(), "attempt", a.owner.register().Attempt, "err", err)
}

func (a *attempt) logEnd(err error) {
	if err != nil && !isSettled(err) {
		a.log.Warn("job left to its lease's end or to another worker", "err", err)
	}
}

// refuse takes a message off the queue that is no job, and leaves one of a later Sluice to a later ingester.
func (s *Service) refuse(msg jetstream.Msg, err error) {
	s.config.Log.Error("message on the queue cannot be read", "subject", msg.Subject(), "err", err)
	if errors.Is(err, events.ErrVersion) {
		_ = msg.NakWithDelay(time.Minute)
		return
	}
	_ = msg.TermWithReason("it is not a job")
}

// decode reads a job and checks that it is where it belongs.
func decode(msg jetstream.Msg) (events.Job, error) {
	job, err := events.DecodeJob(msg.Data())
	if err != nil {
		return events.Job{}, err
	}
	if want := events.JobSubject(job.Spec.Priority, job.ID); want != msg.Subject() {
		return events.Job{}, fmt.Errorf("the job belongs on subject %s", want)
	}
	if id, err := uuid.Parse(job.ID); err != nil || id.String() != job.ID { // one job has one id, however it is spelled
		return events.Job{}, errors.New("the job's id is not a UUID in its usual form")
	}
	return job, nil
}

// settle returns a context for what must be done although the service or the loading ends.
func settle(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), settleTime)
}
