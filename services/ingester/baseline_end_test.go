package ingester_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestTableThatGoesMeanwhile has the table go while a job waits for its turn to say that its rows stand.
func TestTableThatGoesMeanwhile(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
	e.load(file.url, skipping)
	tx, err := e.sql.Begin(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(e.ctx, "SELECT pg_advisory_xact_lock(hashtextextended('sluice:public.t', 0))"); err != nil {
		t.Fatal(err)
	}
	job := e.submit(newJob(file.url, skipping))
	e.awaitBlocked()
	if _, err := tx.Exec(e.ctx, "DROP TABLE t; CREATE TABLE t (n text, text text)"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(e.ctx); err != nil {
		t.Fatal(err)
	}
	end, _ := e.await(job, events.TypeSucceeded).Data.(events.Succeeded)
	if end.Result.Outcome != events.OutcomeLoaded || end.Result.Rows != 1 {
		t.Errorf("the result is %+v", end.Result)
	}
}

// awaitBlocked waits until somebody waits for a name.
func (e *env) awaitBlocked() {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "a job that waits for its turn", func() error {
		tag, err := e.sql.Exec(e.ctx, "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'")
		if err == nil && tag.RowsAffected() == 0 {
			err = errors.New("none yet")
		}
		return err
	})
}

// TestUnchangedWithoutAnAnswer holds that the same is told whether or not the commit which said so got its answer, in one
// attempt.
func TestUnchangedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		forward bool
		asked   int // times that the file was asked for
	}{"committed": {true, 1}, "not committed": {false, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			wire, proxied := e.proxiedDatabase()
			e.start("w1", proxied)
			file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
			loader, base := e.load(file.url, skipping)
			file.was()
			hold := make(chan struct{})
			file.change(func() { file.hold = hold })
			job := e.submit(newJob(file.url, skipping))
			e.awaitAsked(file)
			struck := wire.CutAt(commit, tt.forward)
			close(hold)
			end := e.await(job, events.TypeSucceeded)
			succeeded, _ := end.Data.(events.Succeeded)
			e.expectUnchangedSince(loader, base.Result, job, succeeded)
			select {
			case <-struck:
			default:
				t.Error("no COMMIT was cut off")
			}
			if asked, _ := file.was(); end.Attempt != 1 || asked != tt.asked {
				t.Errorf("ended as %+v, asked %d times", end.Position, asked)
			}
			e.awaitOff()
			e.expectHistory(job, "started succeeded")
		})
	}
}

// TestUnchangedAfterARetry holds that a job which finds nothing new at its second attempt, or as its second run, is as any other.
func TestUnchangedAfterARetry(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
	loader, base := e.load(file.url, skipping)
	file.change(func() { file.fails = 1 })
	job := e.submit(newJob(file.url, skipping))
	end := e.await(job, events.TypeSucceeded)
	succeeded, _ := end.Data.(events.Succeeded)
	e.expectUnchangedSince(loader, base.Result, job, succeeded)
	if end.Attempt != 2 {
		t.Errorf("ended as %+v", end.Position)
	}
	e.awaitOff()
	e.expectHistory(job, "started retrying started succeeded")

	gone := newJob(missing(t), skipping)
	e.awaitFailed(e.submit(gone))
	again := events.NewJob(gone.ID, 2, gone.Spec)
	again.Spec.Source.URL = file.url // as if it had come back
	e.report(again, events.Position{}, events.Redriven{})
	e.submit(again)
	end = e.await(again, events.TypeSucceeded)
	succeeded, _ = end.Data.(events.Succeeded)
	e.expectUnchangedSince(loader, base.Result, again, succeeded)
	if end.Run != 2 {
		t.Errorf("ended as %+v", end.Position)
	}
}

func (e *env) awaitFailed(job events.Job) {
	e.t.Helper()
	e.await(job, events.TypeFailed)
	e.awaitOff()
}

// TestResumedLoadTurnsOutUnchanged breaks a job off that has committed rows, lets another one load the file, and holds that
// going on finds that.
func TestResumedLoadTurnsOutUnchanged(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	content := bigFile(rows)
	for name, f := range map[string]*fragile{
		"by its tag":     {ranges: true, breaks: []int{len(content) / 2}},
		"by its content": {noEdges: true, breaks: []int{len(content) / 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			breaking(t, content, f)
			e.start("w1", oneByOne, backoff(3*time.Second))
			job := e.submit(newJob(f.url, skipping))
			e.await(job, events.TypeRetrying)
			if e.batches(job) == 0 {
				t.Fatal("nothing was committed")
			}
			loader := e.submit(newJob(f.url, skipping))
			base, _ := e.await(loader, events.TypeSucceeded).Data.(events.Succeeded)
			end := e.await(job, events.TypeSucceeded)
			succeeded, _ := end.Data.(events.Succeeded)
			e.expectUnchangedSince(loader, base.Result, job, succeeded)
			e.awaitOff()
			loader.Spec.Table = "t"
			e.expectDataset(loader, rows)
			if end.Attempt != 2 {
				t.Errorf("ended as %+v", end.Position)
			}
		})
	}
}

// TestUnchangedIsToldAgain holds that of such an end the ledger knows all that the history may lose.
func TestUnchangedIsToldAgain(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
	loader, base := e.load(file.url, skipping)
	job, _ := e.load(file.url, skipping)
	stream, err := e.js.Stream(e.ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(e.ctx); err != nil {
		t.Fatal(err)
	}
	e.askReport(job, 1, events.StateSucceeded)
	e.expectHistory(job, "started succeeded")
	end, _ := e.await(job, events.TypeSucceeded).Data.(events.Succeeded)
	e.expectUnchangedSince(loader, base.Result, job, end)
}
