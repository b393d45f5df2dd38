package ingester_test

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/postgres"
)

// atOnce repairs what is found, and unchanged what is found so twice.
var (
	atOnce    = ingester.Repairs{Keep: 31 * 24 * time.Hour}
	unchanged = ingester.Repairs{Patience: 1, Keep: 31 * 24 * time.Hour}
)

// repair is one pass of a repair.
type repair func(context.Context) error

func (e *env) reconciler(r ingester.Repairs) repair {
	return ingester.Reconciler(ingester.Parts{Bus: e.bind("reconciler", e.nats.URL()), Database: e.db}, r, testenv.Log(e.t))
}

func (e *env) sweeper(r ingester.Repairs) repair {
	return ingester.Sweeper(ingester.Parts{Bus: e.bind("sweeper", e.nats.URL()), Database: e.db}, r, testenv.Log(e.t))
}

func (e *env) pass(r repair) {
	e.t.Helper()
	if err := r(e.ctx); err != nil {
		e.t.Error(err)
	}
}

// strand begins a run in the ledger, as a worker does that is killed in the middle of it.
func (e *env) strand(job events.Job) *postgres.Load {
	e.t.Helper()
	load, _, err := e.db.Open(e.ctx, postgres.Claim{JobID: job.ID, Run: job.Run, Attempt: 2, Spec: job.Spec})
	if err != nil {
		e.t.Fatal(err)
	}
	columns := []events.Column{{Original: "n", Name: "n", Type: "text"}}
	if err := load.Prepare(e.ctx, postgres.File{Columns: columns}); err != nil {
		e.t.Fatal(err)
	}
	return load
}

// ledger is all that the ledger has, and the tables that there are.
func (e *env) ledger() []string {
	e.t.Helper()
	rows, err := e.sql.Query(e.ctx, `SELECT l::text FROM sluice.loads l UNION ALL SELECT b::text FROM sluice.batches b
		UNION ALL SELECT relname || relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`)
	if err != nil {
		e.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		e.t.Fatal(err)
	}
	return list
}

// expectUnchanged holds that something changes neither ledger nor tables nor a job's history and register.
func (e *env) expectUnchanged(job events.Job, do func()) {
	e.t.Helper()
	ledger, register, history := e.ledger(), e.register(job), e.types(job)
	do()
	if after := e.ledger(); !slices.Equal(after, ledger) {
		e.t.Errorf("the ledger was\n%q, is\n%q", ledger, after)
	}
	if after := e.register(job); after != register {
		e.t.Errorf("the register was %+v, is %+v", register, after)
	}
	e.expectHistory(job, history)
}

// expectSettled holds that a job's run has ended in the ledger and in the register, and left nothing.
func (e *env) expectSettled(job events.Job, want events.State, code events.Code) {
	e.t.Helper()
	outcome, err := e.db.Outcome(e.ctx, job.ID, job.Run)
	if err != nil || outcome == nil || outcome.State != want || outcome.Failure.Code != code {
		e.t.Fatalf("the outcome is %+v (%v), want %s %s", outcome, err, want, code)
	}
	e.expectNothing(job)
}

// owner writes a job's register.
func (e *env) owner(job events.Job, r bus.Register) {
	e.t.Helper()
	e.rewrite(job, func(now *bus.Register) bool {
		revised := r
		*now = revised
		return true
	})
}
