package ingester_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/postgres"
)

func (e *env) exec(sql string, args ...any) {
	e.t.Helper()
	if _, err := e.sql.Exec(e.ctx, sql, args...); err != nil {
		e.t.Fatal(err)
	}
}

// old ends a run in the ledger and lets it be so long ago that nothing else knows of it.
func (e *env) old(job events.Job) {
	e.t.Helper()
	e.fail(job)
	e.exec("UPDATE sluice.loads SET opened_at = now() - interval '32 days', ended_at = now() - interval '32 days' WHERE job_id = $1", job.ID)
}

func (e *env) known(job events.Job) bool {
	e.t.Helper()
	entry, err := e.db.Entry(e.ctx, job.ID)
	if err != nil {
		e.t.Fatal(err)
	}
	return entry != nil
}

// TestStagingTableIsSweptWhenSeenTwice holds that a staging table without a run goes, but not one that has just appeared,
// and never that of a run.
func TestStagingTableIsSweptWhenSeenTwice(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	running := newJob("http://example.org/a.csv")
	e.strand(running)
	lost := newJob("http://example.org/a.csv")
	e.strand(lost)
	e.exec("DELETE FROM sluice.loads WHERE job_id = $1", lost.ID)
	sweep := e.sweeper(unchanged)
	e.pass(sweep)
	e.expectTables(2)
	e.pass(sweep)
	e.expectTables(1)
	for range 3 {
		e.pass(sweep)
	}
	e.awaitStaging() // of the run
}

// TestOldEndIsForgotten holds of which jobs the ledger and the register are deleted, of all that ended long ago.
func TestOldEndIsForgotten(t *testing.T) {
	t.Parallel()
	dead := bus.Register{State: bus.Claimed, Run: 1, Claim: 1}
	done, cancelled, claimed := bus.Register{State: bus.Done, Run: 1}, bus.Register{State: bus.Cancelled, Run: 2}, bus.Register{State: bus.Claimed, Run: 2}
	for name, tt := range map[string]struct {
		register bus.Register
		live     func(e *env, job events.Job)
		want     bool
	}{
		"without a register":             {want: true},
		"done":                           {register: done, want: true},
		"its worker never said done":     {register: dead, want: true},
		"a newer run was cancelled":      {register: cancelled, want: true},
		"a newer run is with a worker":   {register: claimed},
		"a newer run was cancelled late": {register: cancelled, live: redriven},
		"redriven just now":              {register: done, live: redriven},
		"queued again":                   {register: done, live: func(e *env, job events.Job) { job.Run = 2; e.submit(job) }},
		"opened again":                   {register: done, live: func(e *env, job events.Job) { job.Run = 2; e.strand(job) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			job := newJob("http://example.org/a.csv")
			e.old(job)
			if tt.register.State != bus.Absent {
				e.owner(job, tt.register)
			}
			if tt.live != nil {
				tt.live(e, job)
			}
			if !tt.want {
				e.expectUnchanged(job, func() { e.pass(e.sweeper(atOnce)) })
				return
			}
			e.pass(e.sweeper(atOnce))
			if r := e.register(job); e.known(job) || r.Written() {
				t.Errorf("it is in the ledger: %t, the register is %+v", e.known(job), r)
			}
		})
	}
}

func redriven(e *env, job events.Job) {
	job.Run = 2
	e.report(job, events.Position{}, events.Redriven{})
}

// TestSweepsForgetOnce holds that any number of sweeps at once get along, and that one finishes what another began.
func TestSweepsForgetOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	jobs := make([]events.Job, 8)
	for i := range jobs {
		jobs[i] = newJob("http://example.org/a.csv")
		e.old(jobs[i])
		e.owner(jobs[i], bus.Register{State: bus.Done, Run: 1})
	}
	e.forget(jobs[0]) // by a sweep that was killed then
	var group sync.WaitGroup
	for range 4 {
		sweep := e.sweeper(atOnce)
		group.Go(func() { e.pass(sweep) })
	}
	group.Wait()
	e.pass(e.sweeper(atOnce)) // what two have met at once is left to the next
	for _, job := range jobs {
		if r := e.register(job); e.known(job) || r.Written() {
			t.Errorf("it is in the ledger: %t, the register is %+v", e.known(job), r)
		}
	}
}

// TestForgottenJobRunsAgain holds that a job which is redriven in the moment in which it is forgotten is loaded.
func TestForgottenJobRunsAgain(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	job := newJob(url)
	e.old(job)
	e.owner(job, bus.Register{State: bus.Done, Run: 1, Claim: 3, Outcome: events.StateFailed})
	e.pass(e.sweeper(atOnce))
	e.start("w1")
	job.Run = 2
	e.submit(job)
	e.awaitEnd(job, events.StateSucceeded, rows)
}

// TestRepairsAndWorkSideBySide holds that repairs which never rest do not disturb a load, while they settle and clear
// away what is next to it.
func TestRepairsAndWorkSideBySide(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	restless := func(c *ingester.Config, _ *ingester.Parts) {
		c.Repairs.Reconcile, c.Repairs.Sweep, c.Repairs.Patience = time.Millisecond, time.Millisecond, time.Second
	}
	e.start("w1", restless)
	e.start("w2", restless)
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	stranded, lost := newJob(missing(t)), newJob(missing(t))
	e.strand(stranded)
	e.strand(lost)
	e.exec("DELETE FROM sluice.loads WHERE job_id = $1", lost.ID)
	e.await(stranded, events.TypeFailed)
	testenv.Eventually(e.ctx, t, "one staging table, that of the load", func() error {
		var n int
		err := e.sql.QueryRow(e.ctx, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'sluice_staging_%'").Scan(&n)
		if err == nil && n != 1 {
			err = errors.New("there are others")
		}
		return err
	})
	file.release()
	end := e.awaitEnd(job, events.StateSucceeded, file.rows)
	if end.Claim != 1 || end.Attempt != 1 {
		t.Errorf("it ended as %+v", end.Position)
	}
	e.expectHistory(job, "started succeeded")
	e.expectHistory(stranded, "started failed")
}

// TestDatasetsOfEarlierIngestersAreListed holds that what an ingester of before datasets were kept has published comes into the
// list, and that the API may read it.
func TestDatasetsOfEarlierIngestersAreListed(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	if err := e.db.MakeReader(e.ctx, postgres.ReaderLogin{}); err != nil {
		t.Fatal(err)
	}
	sweep := e.sweeper(atOnce)
	e.pass(sweep) // what comes late is found as well
	url, rows := served(t)
	e.start("w1")
	job := e.submit(newJob(url))
	table := e.awaitEnd(job, events.StateSucceeded, rows).Data.(events.Succeeded).Result.Table
	e.exec("DELETE FROM sluice.datasets")
	e.exec(`REVOKE SELECT ON "` + table + `" FROM ` + postgres.ReaderRole)
	e.pass(sweep)
	var listed, shown bool
	err := e.sql.QueryRow(e.ctx, `SELECT job_id = $1 AND made, has_table_privilege('sluice_reader', oid, 'SELECT')
		FROM sluice.standing_datasets WHERE table_name = $2`, job.ID, table).Scan(&listed, &shown)
	if err != nil || !listed || !shown {
		t.Errorf("listed: %t, shown: %t (%v)", listed, shown, err)
	}
}
