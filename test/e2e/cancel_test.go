package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
)

func TestQueuedJobIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t), "--ingesters", "0")
	url := testenv.Files(t, map[string]string{"/a.csv": "a\n1\n"}) + "/a.csv"
	id := i.submit(t, map[string]any{"url": url, "table": "never"}).ID
	if j := decoded[job](t, i.call(t, http.MethodPost, "/v1/jobs/"+id+"/cancel", "")); j.State != "cancelled" || j.FinishedAt == nil {
		t.Errorf("without any ingester it is %+v", j)
	}
	if a := i.call(t, http.MethodDelete, "/v1/jobs/"+id, ""); a.status != http.StatusOK {
		t.Errorf("asked again: %d %s", a.status, a.body)
	}
	if a := i.get(t, "/job_cancel?jobId="+id); !strings.Contains(string(a.body), `"state":"cancelled"`) {
		t.Errorf("in the first design's words: %s", a.body)
	}
}

func TestRunningJobIsCancelledWithinASecond(t *testing.T) {
	t.Parallel()
	i, slow := up(t, testenv.Dir(t)), serveSlowly(t)
	id := i.submit(t, map[string]any{"url": slow.url, "table": "slow"}).ID
	i.await(testenv.Context(t), t, id, "is halfway", func(j job) bool { return j.State == "running" && j.Progress.Rows > 0 })
	begun := time.Now()
	if a := i.call(t, http.MethodDelete, "/v1/jobs/"+id, ""); a.status != http.StatusAccepted && a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	i.awaitState(t, id, "cancelled")
	if took := time.Since(begun); took > 2*time.Second { // the promise is one; a busy machine is forgiven
		t.Errorf("it took %s", took)
	}
	conn := i.connect(t)
	expectNoStaging(t, conn)
	if left := tables(t, conn); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if again := i.load(t, testenv.Files(t, map[string]string{"/a.csv": "a\n1\n"})+"/a.csv", "slow"); again.Progress.Rows != 1 {
		t.Errorf("the next job for that table: %+v", again)
	}
	refused(t, i.call(t, http.MethodDelete, "/v1/jobs/"+i.load(t, testenv.Files(t, map[string]string{"/b.csv": "a\n1\n"})+"/b.csv", "other").ID, ""),
		http.StatusConflict, "already_finished")
}

// TestCancelAtAnyInstant cancels 200 jobs, each at a random instant between its creation and some time after its end, and
// holds that each is either cancelled with nothing to be seen, or succeeded with everything. How long a job takes is learnt
// from those before it.
func TestCancelAtAnyInstant(t *testing.T) {
	t.Parallel()
	const jobs, atOnce, rows = 200, 4, 2000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	i := up(t, testenv.Dir(t), "--slots", "4")
	url := testenv.Files(t, map[string]string{"/a.csv": "n\n" + strings.Repeat("x\n", rows)}) + "/a.csv"

	ended := make([]job, jobs)
	var work sync.WaitGroup
	for lane := range atOnce {
		work.Go(func() {
			random, latest := rand.New(rand.NewPCG(seed, uint64(lane))), 60*time.Millisecond
			for n := lane; n < jobs; n += atOnce {
				id := i.submit(t, map[string]any{"url": url, "table": fmt.Sprintf("t%d", n)}).ID
				<-time.After(time.Duration(random.Int64N(int64(latest)))) // the instant is what is tested
				i.call(t, http.MethodDelete, "/v1/jobs/"+id, "")
				ended[n] = i.await(testenv.Context(t), t, id, "has ended", func(j job) bool { return j.FinishedAt != nil })
				if ended[n].State == "cancelled" {
					latest += latest / 2
				} else {
					latest -= latest / 3
				}
			}
		})
	}
	work.Wait()

	conn := i.connect(t)
	expectNoStaging(t, conn)
	count := map[string]int{}
	for n, j := range ended {
		count[j.State]++
		found := column[int64](t, conn, fmt.Sprintf(`SELECT count(*) FROM pg_tables WHERE tablename = 't%d'`, n))[0]
		switch {
		case j.State == "succeeded" && found == 1:
			if got := column[int64](t, conn, fmt.Sprintf(`SELECT count(*) FROM public.t%d`, n))[0]; got != rows {
				t.Errorf("job %d succeeded with %d rows", n, got)
			}
		case j.State == "cancelled" && found == 0:
		default:
			t.Errorf("job %d is %s with %d tables", n, j.State, found)
		}
	}
	t.Logf("ended are %v", count)
	if count["succeeded"] == 0 || count["cancelled"] == 0 {
		t.Errorf("the instants missed what they were to meet: %v", count)
	}
}
