package ingester_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

// TestWhatAStalledSourceBroughtIsCommitted stops a file at one place after the other, between rows and within them.
func TestWhatAStalledSourceBroughtIsCommitted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pieces []string // each comes when all before is committed
		rows   []int64  // that are committed then
	}{
		"between rows": {[]string{"n\n1\n2\n", "3\n", "4\n5\n", "6"}, []int64{2, 3, 5}},
		"within rows":  {[]string{"n,t\n1,a\n2,", "b\n3,c\n4,\"d", "\"\n5,e\n", "6,f\n"}, []int64{1, 3, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			next := make(chan string)
			url := e.serve(tt.pieces[0], next)
			e.start("w1", patient(300*time.Millisecond))
			job := e.submit(newJob(url))
			for i, rows := range tt.rows {
				e.awaitCommittedRows(job, rows)
				next <- tt.pieces[i+1]
			}
			close(next)
			e.awaitEnd(job, events.StateSucceeded, 6)
		})
	}
}

// TestStallWithinARowHoldsNothingBack stops a file in a row whose beginning came by itself, while the rows before it were
// not due yet.
func TestStallWithinARowHoldsNothingBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	next := make(chan string)
	url := e.serve("n,t\n1,a\n2,b\n", next)
	e.start("w1", patient(4*time.Second))
	job := e.submit(newJob(url))
	e.awaitRead(job, 2)
	next <- "3,begun"
	e.awaitCommittedRows(job, 2)
	next <- " and ended\n"
	close(next)
	e.awaitEnd(job, events.StateSucceeded, 3)
}

// patient makes a worker commit what came after a time only.
func patient(age time.Duration) setting {
	return func(c *ingester.Config, _ *ingester.Parts) { c.BatchBytes, c.BatchTime = 1<<30, age }
}

// serve serves a file to one request, piece by piece.
func (e *env) serve(first string, next <-chan string) string {
	e.t.Helper()
	return testenv.StartWeb(e.t).On("/file.csv", testenv.Answer{
		testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(first), testenv.Relay(next),
	})
}

// awaitRead waits until a worker has told of so many rows.
func (e *env) awaitRead(job events.Job, rows int64) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, fmt.Sprintf("%d rows are read", rows), func() error {
		event, _, ok, err := e.bus.Events.Last(e.ctx, job.ID, events.TypeProgress)
		if err != nil || !ok || event.Data.(events.Progress).Figures.Rows < rows {
			return fmt.Errorf("not yet (%w)", err)
		}
		return nil
	})
}

// awaitCommittedRows waits until exactly so many rows of a job are committed.
func (e *env) awaitCommittedRows(job events.Job, rows int64) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, fmt.Sprintf("%d rows in batches", rows), func() error {
		var got int64
		err := e.sql.QueryRow(e.ctx, "SELECT coalesce(sum(rows), 0)::bigint FROM sluice.batches WHERE job_id = $1", job.ID).Scan(&got)
		if err == nil && got != rows {
			err = fmt.Errorf("there are %d", got)
		}
		return err
	})
}
