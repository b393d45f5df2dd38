package ingester_test

import (
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester"
)

// TestOrderedRows holds that the rows of an ordered job lie in the table as they do in the file, and that all rows are
// there in either case.
func TestOrderedRows(t *testing.T) {
	t.Parallel()
	for name, ordered := range map[string]bool{"ordered": true, "in any order": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.Connections = 3 })
			url, rows := served(t)
			job := e.submit(newJob(url, func(s *events.Spec) { s.Ordered = ordered }))
			e.awaitEnd(job, events.StateSucceeded, rows)
			if e.batches(job) < 2 {
				t.Fatal("the file is one batch, which is in order always")
			}
			var inOrder bool
			err := e.sql.QueryRow(e.ctx, `SELECT bool_and(n::int = place) FROM
				(SELECT n, row_number() OVER (ORDER BY ctid) AS place FROM public."`+job.Spec.Table+`") AS rows`).Scan(&inOrder)
			if err != nil {
				t.Fatal(err)
			}
			if ordered && !inOrder {
				t.Error("the rows of an ordered job are not in order")
			}
		})
	}
}
