package ingester_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// queueAgain puts a copy of a job on the queue that the server does not recognise as one.
func (e *env) queueAgain(job events.Job) {
	e.t.Helper()
	data, err := json.Marshal(job)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.js.Publish(e.ctx, events.JobSubject(job.Spec.Priority, job.ID), data, jetstream.WithMsgID(uuid.NewString())); err != nil {
		e.t.Fatal(err)
	}
}

// forget removes a job's register.
func (e *env) forget(job events.Job) {
	e.t.Helper()
	kv, err := e.js.KeyValue(e.ctx, bus.ControlBucket)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := kv.Purge(e.ctx, job.ID); err != nil {
		e.t.Fatal(err)
	}
}

// fail ends a run in the ledger, as a worker does that is killed right after it.
func (e *env) fail(job events.Job) {
	e.t.Helper()
	load, _, err := e.db.Open(e.ctx, postgres.Claim{JobID: job.ID, Run: job.Run, Attempt: 3, Spec: events.Spec{Schema: "public"}})
	if err != nil {
		e.t.Fatal(err)
	}
	f := events.Failf(events.CodeNotCSV, "as the test wants it")
	if _, err := load.Fail(e.ctx, *f, events.Figures{Rows: 7}, time.Now()); err != nil {
		e.t.Fatal(err)
	}
}

// TestEndedJobIsNotLoadedAgain holds that a message of a run that has ended is acknowledged and nothing else, be it the
// register or only the history that tells of the end.
func TestEndedJobIsNotLoadedAgain(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"with its register": false, "without its register": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			e.start("w1")
			job := e.submit(newJob(file.url))
			e.awaitEnd(job, events.StateSucceeded, file.rows)
			if lost {
				e.forget(job)
			}
			e.queueAgain(job)
			e.awaitOff()
			e.expectDataset(job, file.rows)
			e.expectHistory(job, "started succeeded")
			if file.asked() != 1 {
				t.Errorf("the file was asked for %d times", file.asked())
			}
		})
	}
}

// TestOutcomeIsReportedFromTheLedger holds that whoever meets a run that has ended in the ledger reports that end,
// however far the worker got that ended it.
func TestOutcomeIsReportedFromTheLedger(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		register bus.Register
		history  string
	}{
		"killed before its report": {
			bus.Register{State: bus.Claimed, Run: 1, Claim: 1, Attempt: 3, Opened: true, Worker: "gone"}, "started failed",
		},
		"history lost":              {bus.Register{State: bus.Done, Run: 1, Claim: 1, Outcome: events.StateFailed}, "failed"},
		"register and history lost": {bus.Register{}, "started failed"},
		"cancelled too late":        {bus.Register{State: bus.Cancelling, Run: 1, Claim: 1, Opened: true, Worker: "gone"}, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job := newJob(file.url)
			e.fail(job)
			e.rewrite(job, func(r *bus.Register) bool { *r = tt.register; return tt.register.State != bus.Absent })
			e.start("w1")
			e.submit(job)
			end := e.awaitEnd(job, events.StateFailed, 0)
			if f := failure(end); f.Code != events.CodeNotCSV || end.Attempt != 3 || end.Data.(events.Failed).Figures.Rows != 7 {
				t.Errorf("reported %+v", end)
			}
			e.expectHistory(job, tt.history)
			if file.asked() != 0 {
				t.Error("the file was asked for")
			}
		})
	}
}

// TestNextRunLoadsAnew holds that neither the register nor the ledger row of a failed run stand in the way of the next.
func TestNextRunLoadsAnew(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 0)
	w := e.start("w1")
	job := newJob(missing(t))
	e.submit(job)
	e.awaitEnd(job, events.StateFailed, 0)
	again := events.NewJob(job.ID, 2, job.Spec)
	again.Spec.Source.URL = file.url
	e.report(again, events.Position{}, events.Redriven{})
	e.submit(again)
	if end := e.awaitEnd(again, events.StateSucceeded, file.rows); end.Claim != 2 || end.Attempt != 1 {
		t.Errorf("ended as %+v", end.Position)
	}
	e.end(w)
}
