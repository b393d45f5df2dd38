package e2e

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/internal/testenv"
)

// TestFailedJobIsRunAgain repairs a file and asks for another run 20 times at once.
func TestFailedJobIsRunAgain(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	files := testenv.StartWeb(t)
	wanted := map[string]any{"url": files.On("/a.csv", testenv.File("a,b\n1,2\n\"3,4\n")), "table": "again"}
	id := i.submit(t, wanted, "Idempotency-Key: once").ID
	if j := i.awaitState(t, id, "failed"); j.Error == nil || j.Error.Code != "unterminated_quote" {
		t.Fatalf("it failed with %+v", j.Error)
	}
	all := i.watch(t, "/v1/events", "")

	files.On("/a.csv", testenv.File("a,b\n1,2\n3,4\n"))
	var asking sync.WaitGroup
	var accepted atomic.Int32
	for range 20 {
		asking.Go(func() {
			switch a := i.call(t, http.MethodPost, "/v1/jobs/"+id+"/retry", ""); {
			case a.status == http.StatusAccepted:
				accepted.Add(1)
			case a.status != http.StatusConflict: // it runs already, or has succeeded
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	asking.Wait()
	if accepted.Load() == 0 {
		t.Error("no retry was accepted")
	}
	retried := i.watch(t, "/v1/jobs/"+id+"/events", "").until(t, "succeeded")
	j := i.awaitState(t, id, "succeeded")
	if j.Attempt != 1 || j.Error != nil || j.Progress.Rows != 2 {
		t.Errorf("it looks %+v", j)
	}
	var types []string
	for _, e := range retried {
		if e.Type != "progress" {
			types = append(types, e.Type)
		}
	}
	want := []string{"created", "queued", "started", "failed", "redriven", "queued", "started", "succeeded"}
	if sorted(types) != sorted(want) { // started may come before queued
		t.Errorf("its history is %v", types)
	}
	if live := all.until(t, "succeeded"); !slices.ContainsFunc(live, func(e event) bool { return e.Type == "redriven" && e.JobID == id }) {
		t.Errorf("told live is %+v", live)
	}
	if again := i.submit(t, wanted, "Idempotency-Key: once"); again.ID != id || again.State != "succeeded" {
		t.Errorf("created again, it is %+v", again)
	}
	refused(t, i.call(t, http.MethodPost, "/v1/jobs/"+id+"/retry", ""), http.StatusConflict, "not_retryable")
	if got := column[int64](t, i.connect(t), `SELECT count(*) FROM public.again`); got[0] != 2 {
		t.Errorf("loaded are %d rows", got)
	}
}

// TestCancelledJobIsRunAgain does so while the message of its first run is still on the queue.
func TestCancelledJobIsRunAgain(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	i := up(t, dir, "--ingesters", "0")
	url := testenv.Files(t, map[string]string{"/a.csv": "a\n1\n"}) + "/a.csv"
	id := i.submit(t, map[string]any{"url": url, "table": "later"}).ID
	refused(t, i.call(t, http.MethodPost, "/v1/jobs/"+id+"/retry", ""), http.StatusConflict, "not_finished")
	if a := i.call(t, http.MethodDelete, "/v1/jobs/"+id, ""); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if j := decoded[job](t, i.call(t, http.MethodPost, "/v1/jobs/"+id+"/retry", "")); j.State != "queued" || j.FinishedAt != nil {
		t.Fatalf("retried is %+v", j)
	}
	i.stop(t)
	i = up(t, dir)
	i.awaitState(t, id, "succeeded")
}

func sorted(list []string) string {
	list = slices.Sorted(slices.Values(list))
	return strings.Join(list, " ")
}
