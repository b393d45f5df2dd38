package e2e

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"sluice/internal/testenv"
)

// TestAcceptedJobsAreKept kills sluice right after it has accepted jobs that nobody loads yet.
func TestAcceptedJobsAreKept(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	files := testenv.Files(t, map[string]string{"/a.csv": "a\n1\n"})
	first := up(t, dir, "--ingesters", "0")
	ids := map[string]string{}
	for _, table := range []string{"one", "two", "three"} {
		ids[table] = first.submit(t, map[string]any{"url": files + "/a.csv", "table": table}).ID
	}
	ids["urgent"] = first.submit(t, map[string]any{"url": files + "/a.csv", "table": "urgent", "priority": "urgent"}).ID
	first.kill()
	first.wait(t, endTime)

	second := up(t, dir)
	for table, id := range ids {
		if j := second.awaitState(t, id, "succeeded"); j.Table != table || j.Attempt != 1 {
			t.Errorf("job %s became %+v", table, j)
		}
	}
	if all := strings.Join(tables(t, second.connect(t)), " "); all != "one three two urgent" {
		t.Errorf("the tables are %s", all)
	}
}

func TestQueuePosition(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t), "--ingesters", "0")
	var ids []string
	for _, priority := range []string{"normal", "normal", "urgent"} {
		ids = append(ids, i.submit(t, map[string]any{"url": "http://localhost/a.csv", "priority": priority}).ID)
	}
	for n, want := range []string{"2", "3", "1"} {
		i.await(testenv.Context(t), t, ids[n], "is number "+want+" in the queue", func(job) bool {
			shown := decoded[map[string]json.RawMessage](t, i.get(t, "/v1/jobs/"+ids[n]))
			return string(shown["queue_position"]) == want && string(shown["state"]) == `"queued"`
		})
	}
	if words := got[struct{ State string }](t, i, "/job_status?jobId="+ids[0]); words.State != "created" {
		t.Errorf("in the first design's words it is %s", words.State)
	}
}

// TestPostgresDies holds that sluice does not go on without its Postgres, says so, and starts again on what is left.
func TestPostgresDies(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	first := up(t, dir)
	first.load(t, first.files+"/tripsdata.csv", "trips")
	if err := syscall.Kill(descendants(t, first.pid())[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := first.wait(t, 2*endTime); code != 1 || !strings.Contains(first.Stderr.String(), "Postgres") {
		t.Errorf("sluice ended with %d and %s", code, first.Stderr.String())
	}
	second := up(t, dir)
	if rows := column[int64](t, second.connect(t), `SELECT count(*) FROM public.trips`); rows[0] != 200_000 {
		t.Errorf("there are %d rows", rows[0])
	}
}
