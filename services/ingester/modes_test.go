package ingester_test

import (
	"context"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestJobWaitsForItsTable holds that a table which others lock costs a job time and no attempt, and its worker's only slot
// not even that.
func TestJobWaitsForItsTable(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1", attempts(1))
	if _, err := e.sql.Exec(e.ctx, "CREATE TABLE public.trips (id text, city text)"); err != nil {
		t.Fatal(err)
	}
	tx, err := e.sql.Begin(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(e.ctx, "LOCK TABLE public.trips"); err != nil {
		t.Fatal(err)
	}
	files := testenv.Files(t, map[string]string{"/a.csv": "id,city\n1,Bonn\n", "/b.csv": "id\n1\n2\n"})
	job := newJob(files + "/a.csv")
	job.Spec.Table, job.Spec.Mode = "trips", events.Append
	job = e.submit(job)
	retrying := e.await(job, events.TypeRetrying)
	if f := retryingFailure(retrying); f == nil || f.Code != events.CodeTableBusy {
		t.Errorf("it waits because of %v", f)
	}
	e.await(e.submit(newJob(files+"/b.csv")), events.TypeSucceeded)
	if err := tx.Commit(e.ctx); err != nil {
		t.Fatal(err)
	}
	if end := e.await(job, events.TypeSucceeded); end.Attempt != 1 {
		t.Errorf("ended as %+v", end.Position)
	}
	var rows int
	if err := e.sql.QueryRow(e.ctx, "SELECT count(*) FROM public.trips").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
