package ingester_test

import (
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestDropIsAnswered loads a table by a job and has it dropped, by whichever ingester is asked.
func TestDropIsAnswered(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	files := testenv.Files(t, map[string]string{"/a.csv": "id,city\n1,Bonn\n"})
	job := e.submit(newJob(files + "/a.csv"))
	e.await(job, events.TypeSucceeded)
	var source, mode string
	err := e.sql.QueryRow(e.ctx, "SELECT source, mode FROM sluice.standing_datasets WHERE table_name = $1 AND job_id = $2 AND made AND rows = 1",
		job.Spec.Table, job.ID).Scan(&source, &mode)
	if err != nil || source != files+"/a.csv" || mode != "create" {
		t.Errorf("the dataset is of %s, mode %s (%v)", source, mode, err)
	}
	for _, want := range []events.Code{"", events.CodeDatasetNotFound} {
		got, code := ask[events.Dropped](e, events.SubjectIngesterDrop, events.Drop{Schema: "public", Table: job.Spec.Table})
		if refused := got.Failure != nil; code != "" || refused != (want != "") || refused && got.Failure.Code != want {
			t.Errorf("answered %v, %s, want %s", got.Failure, code, want)
		}
	}
	var tables int
	err = e.sql.QueryRow(e.ctx, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("%d tables are left (%v)", tables, err)
	}
	if _, code := ask[events.Dropped](e, events.SubjectIngesterDrop, []int{}); code != events.QueryInvalid {
		t.Errorf("nonsense is answered with %s", code)
	}
}
