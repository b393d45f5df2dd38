package ingester_test

import (
	"testing"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// commit is how the driver asks for one.
const commit = "commit\x00"

// TestCommitWithoutAnAnswer holds that a job whose publishing COMMIT got no answer succeeds once, in the same attempt,
// whether the COMMIT took place or not.
func TestCommitWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		forward bool
		asked   int // times that the file was asked for
	}{
		"committed":     {forward: true, asked: 1},
		"not committed": {forward: false, asked: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 1)
			wire, proxied := e.proxiedDatabase()
			e.start("w1", proxied, inOneBatch)
			job := e.submit(newJob(file.url))
			e.awaitStaging()
			struck := wire.CutAt(commit, tt.forward)
			file.release()
			end := e.awaitEnd(job, events.StateSucceeded, file.rows)
			select {
			case <-struck:
			default:
				t.Error("no COMMIT was cut off")
			}
			if end.Attempt != 1 || file.asked() != tt.asked {
				t.Errorf("ended as %+v, asked %d times", end.Position, file.asked())
			}
			e.expectHistory(job, "started succeeded")
		})
	}
}

// TestBatchWithoutAnAnswer is the same for the commit of a batch.
func TestBatchWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, forward := range map[string]bool{"committed": true, "not committed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 1)
			wire, proxied := e.proxiedDatabase()
			e.start("w1", proxied)
			job := e.submit(newJob(file.url))
			e.awaitBatches(job)
			wire.CutAt(commit, forward)
			file.release()
			if end := e.awaitEnd(job, events.StateSucceeded, file.rows); end.Attempt != 1 {
				t.Errorf("ended as %+v", end.Position)
			}
			e.expectHistory(job, "started succeeded")
		})
	}
}

// TestFailureWithoutAnAnswer holds that a failure is recorded as it was, also if the ledger did not say so at first.
func TestFailureWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, forward := range map[string]bool{"committed": true, "not committed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			wire, proxied := e.proxiedDatabase()
			e.start("w1", proxied)
			struck := wire.CutAt("UPDATE sluice.loads SET state", forward)
			job := e.submit(newJob(missing(t)))
			failed := e.awaitEnd(job, events.StateFailed, 0)
			<-struck
			if f := failure(failed); f.Code != events.CodeSourceNotFound {
				t.Errorf("failed with %v", f)
			}
		})
	}
}

// TestFailureThatIsNotRecorded holds that a failure stays what it was while the ledger refuses to take it.
func TestFailureThatIsNotRecorded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	_, err := e.sql.Exec(e.ctx, `
		CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON sluice.loads FOR EACH ROW WHEN (NEW.state = 'failed')
		EXECUTE FUNCTION public.refuse()`)
	if err != nil {
		t.Fatal(err)
	}
	e.start("w1")
	job := e.submit(newJob(missing(t)))
	e.await(job, events.TypeRetrying)
	if _, err := e.sql.Exec(e.ctx, "DROP TRIGGER refuse ON sluice.loads"); err != nil {
		t.Fatal(err)
	}
	failed := e.awaitEnd(job, events.StateFailed, 0)
	if f := failure(failed); f.Code != events.CodeSourceNotFound || failed.Attempt != 1 {
		t.Errorf("failed with %v as %+v", f, failed.Position)
	}
}

// TestLostConnectionSpendsNoAttempt holds that a connection to Postgres that breaks in the middle of a load costs the
// job nothing but time.
func TestLostConnectionSpendsNoAttempt(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	wire, proxied := e.proxiedDatabase()
	e.start("w1", proxied)
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	struck := wire.CutAt("COPY ", false)
	file.release()
	if end := e.awaitEnd(job, events.StateSucceeded, file.rows); end.Attempt != 1 {
		t.Errorf("ended as %+v", end.Position)
	}
	<-struck
	if r := e.register(job); r.Attempt != 1 {
		t.Errorf("the register says %+v", r)
	}
}

// TestOutageOfPostgres holds that jobs wait while Postgres is away, without spending attempts.
func TestOutageOfPostgres(t *testing.T) {
	t.Parallel()
	for name, began := range map[string]bool{"before the job": false, "in mid-load": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 1)
			wire, proxied := e.proxiedDatabase()
			e.start("w1", proxied)
			job := newJob(file.url)
			if began {
				e.submit(job)
				e.awaitBatches(job)
			}
			wire.Cut()
			file.release()
			if !began {
				e.submit(job)
			}
			retrying := e.await(job, events.TypeRetrying)
			if f := retryingFailure(retrying); f == nil || f.Code != events.CodeDatabaseUnavailable || !f.Retryable {
				t.Errorf("retrying because of %v", f)
			}
			if r := e.register(job); r.Attempt > 1 || r.State == bus.Released && r.Attempt != 0 || !r.Opened {
				t.Errorf("the register says %+v", r)
			}
			wire.Restore()
			if end := e.awaitEnd(job, events.StateSucceeded, file.rows); end.Attempt != 1 {
				t.Errorf("ended as %+v", end.Position)
			}
		})
	}
}
