package ingester_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

// TestStrandedRunIsSettled holds how a run ends that neither a message nor a worker will ever end, by what is known of it.
func TestStrandedRunIsSettled(t *testing.T) {
	t.Parallel()
	failed := events.Failed{Failure: *events.Failf(events.CodeNotCSV, "as the test wants it"), Figures: events.Figures{Rows: 7}}
	for name, tt := range map[string]struct {
		run      int
		register bus.Register
		told     []events.Payload
		want     events.State
		code     events.Code
		history  string
	}{
		"nothing is known": {want: events.StateFailed, code: events.CodeAbandoned, history: "started failed"},
		"it was created": {
			told: []events.Payload{events.Created{}}, want: events.StateFailed, code: events.CodeAbandoned, history: "created failed",
		},
		"it was started": {
			told: []events.Payload{events.Started{}}, want: events.StateFailed, code: events.CodeAbandoned, history: "started failed",
		},
		"an older run is done": {
			run: 2, register: bus.Register{State: bus.Done, Run: 1, Claim: 3, Outcome: events.StateFailed},
			want: events.StateFailed, code: events.CodeAbandoned, history: "started failed",
		},
		"told as failed": {told: []events.Payload{failed}, want: events.StateFailed, code: events.CodeNotCSV, history: "failed"},
		"told as failed, and owned in an older copy": {
			register: bus.Register{State: bus.Claimed, Run: 1, Claim: 1, Worker: "w", Attempt: 2, Opened: true},
			told:     []events.Payload{failed}, want: events.StateFailed, code: events.CodeNotCSV, history: "failed",
		},
		"told as cancelled": {
			register: bus.Register{State: bus.Cancelled, Run: 1}, told: []events.Payload{events.Cancelled{}},
			want: events.StateCancelled, history: "cancelled",
		},
		"told as cancelled without a register": {
			told: []events.Payload{events.Cancelled{}}, want: events.StateCancelled, history: "cancelled",
		},
		"cancelled and not told": {
			register: bus.Register{State: bus.Cancelled, Run: 1}, want: events.StateCancelled, history: "started cancelled",
		},
		"done and not told": {
			register: bus.Register{State: bus.Done, Run: 1, Outcome: events.StateCancelled},
			want:     events.StateCancelled, history: "started cancelled",
		},
		"a newer run was cancelled": {
			register: bus.Register{State: bus.Cancelled, Run: 2}, told: []events.Payload{failed},
			want: events.StateFailed, code: events.CodeNotCSV, history: "failed",
		},
		"succeeded in a database that is lost": {
			register: bus.Register{State: bus.Done, Run: 1, Outcome: events.StateSucceeded},
			told:     []events.Payload{events.Succeeded{}}, want: events.StateFailed, code: events.CodeAbandoned, history: "succeeded",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			job := newJob("http://example.org/a.csv")
			job.Run = max(tt.run, 1)
			e.strand(job)
			if tt.register.State != bus.Absent {
				e.owner(job, tt.register)
			}
			for _, data := range tt.told {
				e.report(job, events.Position{Claim: 1}, data)
			}
			was := e.register(job)
			e.pass(e.reconciler(atOnce))
			e.expectSettled(job, tt.want, tt.code)
			e.expectHistory(job, tt.history)
			want := was
			if was.Run < job.Run {
				want = bus.Register{
					State: bus.Done, Run: job.Run, Claim: was.Claim, Attempt: 2, Opened: true, Outcome: tt.want,
				}
			}
			if r := e.register(job); r.After(want) && was.Run >= job.Run || r.State != want.State || r.Run != want.Run ||
				r.Claim != want.Claim || r.Outcome != want.Outcome {
				t.Errorf("the register is %+v, want %+v", r, want)
			}
			e.expectUnchanged(job, func() { e.pass(e.reconciler(atOnce)) })
		})
	}
}

// TestLivingRunIsLeftAlone holds that a job which has a message or a worker is not touched, however long it looks the
// same, and neither is one whose place cannot be seen.
func TestLivingRunIsLeftAlone(t *testing.T) {
	t.Parallel()
	claimed := bus.Register{State: bus.Claimed, Run: 1, Claim: 1, Worker: "w", Attempt: 2, Opened: true}
	released, cancelling, newer, done := claimed, claimed, claimed, claimed
	released.State, cancelling.State, newer.Run, done.State = bus.Released, bus.Cancelling, 2, bus.Done
	for name, live := range map[string]func(e *env, job events.Job){
		"queued again":          func(e *env, job events.Job) { e.submit(job) },
		"queued, told as ended": func(e *env, job events.Job) { e.submit(job); e.owner(job, done) },
		"queued as urgent":      func(e *env, job events.Job) { job.Spec.Priority = events.Urgent; e.submit(job) },
		"queued for a next run": func(e *env, job events.Job) { job.Run++; e.submit(job) },
		"its message cannot be read": func(e *env, job events.Job) {
			if _, err := e.js.Publish(e.ctx, events.JobSubject(events.Normal, job.ID), []byte(`{"v":2}`)); err != nil {
				e.t.Fatal(err)
			}
		},
		"with a worker that has not opened it yet": func(e *env, job events.Job) {
			e.submit(job)
			lane, err := e.bus.Jobs.Lane(e.ctx, events.Normal)
			if err != nil {
				e.t.Fatal(err)
			}
			if _, err := lane.Next(jetstream.FetchMaxWait(10 * time.Second)); err != nil {
				e.t.Fatal(err)
			}
			e.owner(job, claimed)
		},
		"claimed":           func(e *env, job events.Job) { e.owner(job, claimed) },
		"released":          func(e *env, job events.Job) { e.owner(job, released) },
		"cancelling":        func(e *env, job events.Job) { e.owner(job, cancelling) },
		"newer run claimed": func(e *env, job events.Job) { e.owner(job, newer) },
		"its row is locked": lockRow,
		"failed, and redriven": func(e *env, job events.Job) {
			e.fail(job)
			job.Run++
			e.report(job, events.Position{}, events.Redriven{})
		},
		"committed, and not told yet": func(e *env, _ events.Job) {
			if _, err := e.sql.Exec(e.ctx, "UPDATE sluice.loads SET state = 'committed'"); err != nil {
				e.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			job := newJob("http://example.org/a.csv")
			e.strand(job)
			e.report(job, events.Position{Claim: 1}, events.Started{Spec: job.Spec})
			live(e, job)
			reconcile := e.reconciler(atOnce)
			e.expectUnchanged(job, func() { e.pass(reconcile); e.pass(reconcile) })
		})
	}
}

func lockRow(e *env, _ events.Job) {
	tx, err := e.sql.Begin(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = tx.Rollback(e.ctx) })
	if _, err := tx.Exec(e.ctx, "SELECT FROM sluice.loads FOR SHARE"); err != nil {
		e.t.Fatal(err)
	}
}

// TestOnlyWhatIsUnchangedIsSettled holds that whatever happens to a stranded run makes its time begin anew.
func TestOnlyWhatIsUnchangedIsSettled(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(e *env, job events.Job, reconcile repair){
		"opened again": func(e *env, job events.Job, _ repair) { e.strand(job) },
		"claimed, and its register lost again": func(e *env, job events.Job, reconcile repair) {
			e.owner(job, bus.Register{State: bus.Claimed, Run: 1, Claim: 1})
			e.pass(reconcile)
			e.forget(job)
		},
		"its register is written": func(e *env, job events.Job, _ repair) {
			e.owner(job, bus.Register{State: bus.Cancelled, Run: 1})
		},
		"queued, and its message lost again": func(e *env, job events.Job, reconcile repair) {
			e.queueAgain(job)
			e.pass(reconcile)
			stream, err := e.js.Stream(e.ctx, bus.JobsStream)
			if err != nil {
				e.t.Fatal(err)
			}
			if err := stream.Purge(e.ctx); err != nil {
				e.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			job := newJob("http://example.org/a.csv")
			e.strand(job)
			reconcile := e.reconciler(unchanged)
			e.expectUnchanged(job, func() { e.pass(reconcile) })
			change(e, job, reconcile)
			e.expectUnchanged(job, func() { e.pass(reconcile) })
			e.pass(reconcile)
			if outcome, err := e.db.Outcome(e.ctx, job.ID, job.Run); err != nil || outcome == nil {
				t.Errorf("in the end the outcome is %+v, %v", outcome, err)
			}
		})
	}
}

// TestNothingIsSettledAcrossAnOutage holds that what was seen before NATS was away does not count after it, be the outage
// noticed or not: its store may have been brought back from a copy.
func TestNothingIsSettledAcrossAnOutage(t *testing.T) {
	t.Parallel()
	for name, noticed := range map[string]bool{"noticed": true, "between two passes": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			job := newJob("http://example.org/a.csv")
			e.strand(job)
			wire, proxied := e.proxiedNATS("reconciler")
			parts := ingester.Parts{Database: e.db}
			proxied(nil, &parts)
			reconcile := repair(ingester.Reconciler(parts, unchanged, testenv.Log(t)))
			e.pass(reconcile)
			lost, back := parts.Bus.Conn.StatusChanged(nats.RECONNECTING), parts.Bus.Conn.StatusChanged(nats.CONNECTED)
			wire.Cut()
			<-lost
			if noticed {
				if err := reconcile(e.ctx); !errors.Is(err, bus.ErrUnavailable) {
					t.Errorf("without NATS: %v", err)
				}
			}
			wire.Restore()
			<-back
			e.expectUnchanged(job, func() { e.pass(reconcile) })
			e.pass(reconcile)
			e.expectSettled(job, events.StateFailed, events.CodeAbandoned)
		})
	}
}

// TestReconcilersSettleOnce holds that of any number that meet a run one settles it, and tells so once.
func TestReconcilersSettleOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	jobs := make([]events.Job, 8)
	for i := range jobs {
		jobs[i] = newJob("http://example.org/a.csv")
		e.strand(jobs[i])
	}
	var group sync.WaitGroup
	for range 4 {
		reconcile := e.reconciler(atOnce)
		group.Go(func() { e.pass(reconcile) })
	}
	group.Wait()
	for _, job := range jobs {
		e.expectSettled(job, events.StateFailed, events.CodeAbandoned)
		e.expectHistory(job, "started failed")
	}
}

// TestWorkerThatComesBackFindsTheEnd holds that a message which turns up after all ends like the run, and makes nothing.
func TestWorkerThatComesBackFindsTheEnd(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"with the register": false, "without the register": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 0)
			job := newJob(file.url)
			e.strand(job)
			e.pass(e.reconciler(atOnce))
			if lost {
				e.forget(job)
			}
			e.start("w1")
			e.submit(job)
			e.awaitOff()
			e.expectSettled(job, events.StateFailed, events.CodeAbandoned)
			e.expectHistory(job, "started failed")
			if file.asked() != 0 {
				t.Error("the file was asked for")
			}
			job.Run = 2
			e.submit(job)
			e.awaitEnd(job, events.StateSucceeded, file.rows)
		})
	}
}

// TestLostJobIsAnnounced holds that a job of which NATS has lost everything but its register is made known to status,
// which brings its message back.
func TestLostJobIsAnnounced(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	job := newJob(url)
	e.strand(job)
	e.owner(job, bus.Register{State: bus.Claimed, Run: 1, Claim: 4, Worker: "gone", Attempt: 2, Opened: true})
	reconcile := e.reconciler(atOnce)
	e.pass(reconcile)
	e.pass(reconcile)
	e.expectHistory(job, "started")
	started := e.await(job, events.TypeStarted)
	if data, ok := started.Data.(events.Started); !ok || data.Spec.Table != job.Spec.Table || started.Claim != 4 || started.Attempt != 2 {
		t.Errorf("announced is %+v", started)
	}
	e.start("w1")
	e.submit(job)
	end := e.awaitEnd(job, events.StateSucceeded, rows)
	if end.Claim != 5 || end.Attempt != 3 {
		t.Errorf("it ended as %+v", end.Position)
	}
}

// TestNextRunIsNotKeptFromTheQueue holds that a message is removed which a killed server has kept although the worker was done with
// it.
func TestNextRunIsNotKeptFromTheQueue(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	job := e.submit(newJob(missing(t)))
	rewind := e.nats.Rewinder(bus.JobsStream)
	testenv.Eventually(e.ctx, t, "NATS is back", func() error { return e.bus.CheckQueue(e.ctx) })
	w := e.start("w1")
	e.await(job, events.TypeFailed)
	e.awaitOff()
	w.stop()
	rewind()
	testenv.Eventually(e.ctx, t, "NATS is back", func() error { return e.bus.CheckQueue(e.ctx) })
	job.Run = 2
	if _, err := e.bus.Jobs.Publish(e.ctx, job); !errors.Is(err, bus.ErrOtherRun) {
		t.Fatalf("run 2 comes onto the queue: %v", err)
	}
	e.pass(e.reconciler(unchanged))
	if _, err := e.bus.Jobs.Publish(e.ctx, job); err != nil {
		t.Error(err)
	}
}
