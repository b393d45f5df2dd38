package ingester_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestVersionsAreNotMixed has a server without validators that answers with one version of a file, then with another one
// that breaks off once it has filled a gap in what was committed of the first, and then with the first again.
func TestVersionsAreNotMixed(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	content := bigFile(rows)
	other := strings.Replace(content, "\n5,the text of", "\n5,THE TEXT OF", 1)
	chunked := func(text string, then ...testenv.Step) testenv.Answer {
		return append(testenv.Answer{testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(text)}, then...)
	}
	url := testenv.StartWeb(t).On("/file.csv",
		chunked(content[:len(content)*2/3]), chunked(other[:300<<10]), chunked(content, testenv.Chunk("")))
	e := newEnv(t)
	e.start("w1", oneByOne, backoff(2*time.Second))
	job := e.submit(newJob(url))
	e.await(job, events.TypeRetrying)
	e.loseFirstBatch(job)
	e.awaitEnd(job, events.StateSucceeded, rows)
	var texts int64
	err := e.sql.QueryRow(e.ctx, `SELECT count(DISTINCT text) FROM "`+job.Spec.Table+`"`).Scan(&texts)
	if err != nil || texts != 1 {
		t.Errorf("the dataset has rows of %d versions (%v)", texts, err)
	}
}

// loseFirstBatch takes back what was committed of a file's beginning, as if another connection had not come to commit it.
func (e *env) loseFirstBatch(job events.Job) {
	e.t.Helper()
	var rows int64
	err := e.sql.QueryRow(e.ctx, `DELETE FROM sluice.batches WHERE job_id = $1 AND start_offset = (
		SELECT min(start_offset) FROM sluice.batches WHERE job_id = $1) RETURNING rows`, job.ID).Scan(&rows)
	if err != nil {
		e.t.Fatal(err)
	}
	_, err = e.sql.Exec(e.ctx, "DELETE FROM sluice_staging_"+strings.ReplaceAll(job.ID, "-", "")+" WHERE n::bigint <= $1", rows)
	if err != nil {
		e.t.Fatal(err)
	}
}
