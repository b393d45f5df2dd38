package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// atOnce is how soon an opener must get past a frozen worker, on a busy machine.
const atOnce = 15 * time.Second

// A worker is frozen when its connection stays and nothing comes through it any more.
func TestOpenGetsPastAFrozenWorker(t *testing.T) {
	for name, c := range map[string]struct {
		fault fault
		do    string
		at    string // what its backend does then
	}{
		"in COPY":                     {freezeInCopy, "commit", "COPY %"},
		"in COPY of the last batch":   {freezeInCopy, "publish", "COPY %"},
		"before COMMIT of a batch":    {freezeBeforeCommit, "commit", "%FOR SHARE"},
		"before COMMIT of publishing": {freezeBeforeCommit, "publish", "%UPDATE sluice.loads SET state%"},
		"before COMMIT of settling":   {freezeBeforeCommit, "fail", "%UPDATE sluice.loads SET state%"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			first := w.prepared(w.worker(url))
			proxy.arm(c.fault)
			ended := make(chan error, 1)
			go func() { ended <- steps[c.do](testenv.Context(t), first, w) }()
			w.waitFor("the worker is frozen", `SELECT FROM pg_stat_activity WHERE application_name = $1
				AND wait_event = 'ClientRead' AND query LIKE $2`, "sluice/"+w.job+"/1", c.at)
			ctx, cancel := context.WithTimeout(t.Context(), atOnce)
			defer cancel()
			second, _, err := w.db.Open(ctx, w.claim(1))
			w.must(err)
			if err := <-ended; err == nil {
				t.Error("the frozen worker has done it")
			}
			w.wantNothingLeft()
			w.must(second.Prepare(ctx, postgres.File{Columns: columns("value")}))
			w.publish(second, batch(0, 10, "a"))
			w.wantRows(w.name, "a")
		})
	}
}

// The opener itself may freeze as well, before it has a fence.
func TestOpenGetsPastAFrozenOpener(t *testing.T) {
	w := newWorld(t)
	proxy, url := throughProxy(t, w.url)
	frozen := w.worker(url)
	proxy.arm(freezeBeforeCommit)
	ctx, thaw := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _, _ = frozen.Open(ctx, w.claim(1))
	}()
	w.waitFor("the opener is frozen", `SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND application_name LIKE 'sluice%' AND state = 'idle in transaction' AND wait_event = 'ClientRead'`)
	soon, cancel := context.WithTimeout(t.Context(), atOnce)
	defer cancel()
	load, _, err := w.db.Open(soon, w.claim(1))
	w.must(err)
	w.must(load.Prepare(soon, postgres.File{Columns: columns("value")}))
	w.publish(load, batch(0, 10, "a"))
	thaw()
	<-ended
	w.wantRows(w.name, "a")
}

// Two installations may share a server, and their jobs an id.
func TestOpenSparesOtherJobsAndDatabases(t *testing.T) {
	w := newWorld(t)
	here := worldIn(t, testenv.Database(t))
	here.job = w.job
	here.prepared(here.db)
	spared := []func() error{
		here.holdRow("sluice/"+w.job+"/1", "FOR SHARE"),
		w.holdRow("sluice/"+uuid.NewString()+"/1", ""),
		w.holdRow("sluice/"+w.job+"/x", ""),
		w.holdRow("sluice/"+w.job+"/9", ""), // a later opener's
	}
	w.prepared(w.db)
	w.open(w.worker(w.url), 1)
	for _, commit := range spared {
		w.must(commit())
	}
}

// A stranger who holds the ledger row is not ended, but named.
func TestOpenDoesNotWaitForStrangers(t *testing.T) {
	w := newWorld(t)
	w.prepared(w.db)
	stranger := w.holdRow("psql", "FOR UPDATE")
	_, _, err := w.db.Open(testenv.Context(t), w.claim(1))
	wantFailure(t, err, events.CodeDatabaseUnavailable)
	if !strings.Contains(err.Error(), "lock timeout") {
		t.Errorf("the error is %v", err)
	}
	w.must(stranger())
	w.open(w.db, 1)
}

func TestTerminatedBackendIsUnavailable(t *testing.T) {
	w := newWorld(t)
	proxy, url := throughProxy(t, w.url)
	load := w.prepared(w.worker(url))
	proxy.arm(freezeInCopy)
	ended := make(chan error, 1)
	go func() { ended <- load.Commit(testenv.Context(t), batch(0, 10, "a")) }()
	w.waitFor("the backend is ended", "SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'COPY%' AND pg_terminate_backend(pid)",
		"sluice/"+w.job+"/1")
	err := <-ended
	wantFailure(t, err, events.CodeDatabaseUnavailable)
	if errors.Is(err, postgres.ErrUncertain) {
		t.Error("uncertain, though no COMMIT was sent")
	}
}

func TestCancelledBatchLeavesNothing(t *testing.T) {
	w := newWorld(t)
	proxy, url := throughProxy(t, w.url)
	load := w.prepared(w.worker(url))
	proxy.arm(freezeInCopy)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- load.Commit(ctx, batch(0, 10, "a")) }()
	locked := "SELECT FROM pg_locks WHERE relation = '" + w.staging() + "'::regclass AND granted"
	w.waitFor("the batch is under way", locked)
	cancel()
	proxy.thaw()
	var failure *events.Failure
	if err := <-ended; !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Errorf("cancelled: %v", err)
	}
	w.waitFor("the lock is released", "SELECT WHERE NOT EXISTS ("+locked+")")
	w.wantList("batches", nil, "SELECT batch::text FROM sluice.batches")
	w.must(load.Commit(testenv.Context(t), batch(0, 10, "a")))
	w.publish(load, batch(10, 10))
}

// A server that does not answer must not keep a worker that gives up.
func TestRollbackIsBounded(t *testing.T) {
	w := newWorld(t)
	proxy, url := throughProxy(t, w.url)
	load := w.prepared(w.worker(url))
	proxy.arm(fault{statement: "rollback", freeze: true})
	defer proxy.thaw()
	ctx, cancel := context.WithTimeout(t.Context(), atOnce)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- load.Commit(t.Context(), batch(0, 10, "\xff")) }()
	select {
	case err := <-ended:
		wantFailure(t, err, events.CodeDatabaseError)
	case <-ctx.Done():
		t.Fatal("still rolling back")
	}
}
