package ingester_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/postgres"
)

func TestLoadsAFile(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	url, rows := served(t)
	job := e.submit(newJob(url))
	end := e.awaitEnd(job, events.StateSucceeded, rows)
	if end.Attempt != 1 || end.Claim != 1 || end.By != "ingester/w1" {
		t.Errorf("it ended as %+v", end.Position)
	}
	e.expectHistory(job, "started succeeded")
}

// TestRedeliveredJobIsTakenOver holds that a worker whose lease has lapsed in the middle of a load leaves the job to
// the next one.
func TestRedeliveredJobIsTakenOver(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	e.start("w1")
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	e.start("w2")
	e.lapse(job, 1, 1, 1)
	end := e.awaitEnd(job, events.StateSucceeded, file.rows)
	if end.By != "ingester/w2" || end.Claim != 2 || end.Attempt != 2 {
		t.Errorf("ended by %s as %+v", end.By, end.Position)
	}
	<-file.left // also that of the first worker, though nothing was released
	<-file.left
	e.expectHistory(job, "started started succeeded")
	e.expectDataset(job, file.rows)
}

// TestWorkerCutOffFromNATSCommitsNothing holds that the fence stops a worker that cannot know that it has lost the job.
func TestWorkerCutOffFromNATSCommitsNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 2)
	wire, proxied := e.proxiedNATS("w1")
	e.start("w1", proxied)
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	wire.Cut()
	e.start("w2")
	e.lapse(job, 1, 1, 1)
	testenv.Eventually(e.ctx, t, "the second worker's load", func() error {
		if file.asked() < 2 || e.batches(job) == 0 {
			return errors.New("not begun")
		}
		return nil
	})
	file.release()
	<-file.left
	<-file.left
	end := e.awaitEnd(job, events.StateSucceeded, file.rows)
	if end.By != "ingester/w2" || end.Attempt != 2 {
		t.Errorf("ended by %s as %+v", end.By, end.Position)
	}
	var fence int
	if err := e.sql.QueryRow(e.ctx, "SELECT fence FROM sluice.loads").Scan(&fence); err != nil || fence != 2 {
		t.Errorf("the fence is at %d (%v)", fence, err)
	}
	e.expectHistory(job, "started started succeeded")
}

// TestFrozenWorkerDropsSilently holds that a worker whose job another one has taken and ended meanwhile says nothing,
// neither to the queue nor to the history, and leaves nothing.
func TestFrozenWorkerDropsSilently(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	w := e.start("w1")
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	acks, err := e.bus.Conn.SubscribeSync("$JS.ACK.>")
	if err != nil {
		t.Fatal(err)
	}
	e.rewrite(job, func(r *bus.Register) bool { r.Claim, r.Worker, r.Attempt = r.Claim+1, "other", 2; return true })
	<-file.left // at once, by the watch
	load, _, err := e.db.Open(e.ctx, postgres.Claim{JobID: job.ID, Run: 1, Attempt: 2, Spec: events.Spec{Schema: "public"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load.Cancel(e.ctx, events.Figures{}, job.Spec.CreatedAt); err != nil {
		t.Fatal(err)
	}
	e.rewrite(job, func(r *bus.Register) bool { r.State, r.Outcome = bus.Done, events.StateCancelled; return true })
	e.end(w)
	e.expectHistory(job, "started")
	e.expectNothing(job)
	if err := e.bus.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for n, _, _ := acks.Pending(); n > 0; n-- {
		if m, err := acks.NextMsg(0); err != nil || string(m.Data) != "+WPI" {
			t.Errorf("the queue was told %q (%v)", m.Data, err)
		}
	}
	lane, err := e.bus.Jobs.Lane(e.ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := lane.Info(e.ctx); err != nil || info.NumAckPending != 1 || info.NumRedelivered != 0 {
		t.Errorf("the message is not with the worker any more: %+v (%v)", info, err)
	}
}

// TestRedeliveryToTheSameWorkerIsAdopted holds that a worker does not start twice what it has under way.
func TestRedeliveryToTheSameWorkerIsAdopted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.Slots = 2 })
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	lane, err := e.bus.Jobs.Lane(e.ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	e.lapse(job, 1, 1, 1)
	testenv.Eventually(e.ctx, t, "the redelivery", func() error {
		info, err := lane.Info(e.ctx)
		if err == nil && info.NumRedelivered != 1 {
			err = fmt.Errorf("%d redelivered", info.NumRedelivered)
		}
		return err
	})
	file.release()
	if end := e.awaitEnd(job, events.StateSucceeded, file.rows); end.Attempt != 1 || file.asked() != 1 {
		t.Errorf("ended as %+v after %d requests", end.Position, file.asked())
	}
	e.expectHistory(job, "started succeeded")
}

// claimHalfway submits a job to a new worker and holds that one back between the two writes of its claim, until resume is
// called.
func (e *env) claimHalfway(file *halfway) (job events.Job, resume func()) {
	e.t.Helper()
	wire, proxied := e.proxiedNATS("w1")
	job = newJob(file.url)
	resumed := make(chan struct{})
	resume = sync.OnceFunc(func() { close(resumed) })
	e.t.Cleanup(resume)
	held := wire.HoldAt("HPUB "+events.EventSubject(job.ID, events.TypeStarted), resumed)
	e.start("w1", proxied)
	e.submit(job)
	select {
	case <-held:
	case <-e.ctx.Done():
		e.t.Fatal("the job is not claimed")
	}
	if r := e.register(job); r.State != bus.Claimed || r.Worker != "w1" || r.Opened || r.Attempt != 0 {
		e.t.Fatalf("the register says %+v", r)
	}
	return job, resume
}

// TestClaimLostHalfway holds that a worker drops a job that it loses between the two writes of its claim.
func TestClaimLostHalfway(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(e *env, job events.Job){
		"to another worker": func(e *env, job events.Job) {
			e.rewrite(job, func(r *bus.Register) bool { r.Claim, r.Worker, r.Opened = r.Claim+1, "other", true; return true })
		},
		"with the register": func(e *env, job events.Job) { e.forget(job) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job, resume := e.claimHalfway(file)
			lose(e, job)
			lost := e.register(job)
			resume()
			e.await(job, events.TypeStarted)
			next := e.submit(newJob(file.url)) // the worker has one slot: it is through with the other by then
			e.await(next, events.TypeSucceeded)
			if r := e.register(job); r != lost {
				t.Errorf("the register says %+v, it said %+v", r, lost)
			}
			e.expectHistory(job, "started")
			e.expectTables(1)
		})
	}
}

// TestClaimsCountOnWithoutARegister holds that what is reported after a loss of the register comes after what was
// reported before.
func TestClaimsCountOnWithoutARegister(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	job := newJob(url)
	e.report(job, events.Position{Claim: 7, Attempt: 2, Seq: 1}, events.Started{Spec: job.Spec, Worker: "gone"})
	e.start("w1")
	e.submit(job)
	if end := e.awaitEnd(job, events.StateSucceeded, rows); end.Claim != 8 {
		t.Errorf("ended as %+v", end.Position)
	}
}

// TestMessageOfAnOlderRunIsAcknowledged holds that nothing is done for a run that a newer one has replaced.
func TestMessageOfAnOlderRunIsAcknowledged(t *testing.T) {
	t.Parallel()
	redriven := func(e *env, job events.Job) {
		job.Run = 2
		e.report(job, events.Position{}, events.Redriven{})
	}
	claimed := func(e *env, job events.Job) {
		e.rewrite(job, func(r *bus.Register) bool {
			*r = bus.Register{State: bus.Claimed, Run: 2, Claim: 3, Worker: "other"}
			return true
		})
	}
	opened := func(e *env, job events.Job) {
		if _, _, err := e.db.Open(e.ctx, postgres.Claim{JobID: job.ID, Run: 2, Attempt: 1, Spec: events.Spec{Schema: "public"}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, newer := range map[string]func(*env, events.Job){"redriven": redriven, "claimed": claimed, "opened": opened} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job := newJob(file.url)
			newer(e, job)
			e.start("w1")
			e.submit(job)
			e.awaitOff()
			e.expectNothing(job)
			if _, _, ended, err := e.bus.Events.Last(e.ctx, job.ID, events.TypeFailed); ended || err != nil || file.asked() != 0 {
				t.Errorf("reported: %t (%v); asked %d times", ended, err, file.asked())
			}
		})
	}
}
