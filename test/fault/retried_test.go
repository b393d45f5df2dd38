package fault

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"sluice/internal/testenv"
)

// retried starts failed jobs again once what they failed for is mended, many times at once, with workers killed meanwhile.
func retried(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	conn := s.database.connect(t)
	jobs := sized(4, 12)
	for n := range jobs {
		execute(t, conn, fmt.Sprintf(`CREATE TABLE public.retried%d (a int)`, n))
		s.submit(serve(t, makeFile(random, 1<<20), random.IntN(2) == 0), fmt.Sprintf("retried%d", n), nil)
	}
	for n, a := range s.jobs {
		if j := s.awaitState(a.id, "failed"); j.why() != "table_exists" {
			t.Errorf("job %s failed with %+v", j.ID, j.Error)
		}
		execute(t, conn, fmt.Sprintf(`DROP TABLE public.retried%d`, n))
	}
	var clients sync.WaitGroup
	for _, a := range s.jobs {
		for range 5 {
			clients.Go(func() {
				answered, err := s.call(http.MethodPost, "/v1/jobs/"+a.id+"/retry", "")
				if err != nil || answered.status != http.StatusAccepted && answered.status != http.StatusConflict {
					t.Errorf("retrying job %s: %d %s (%v)", a.id, answered.status, answered.body, err)
				}
			})
		}
	}
	s.workers["a"].kill()
	s.startWorker(s.workers["a"])
	clients.Wait()
	for _, a := range s.jobs {
		testenv.Eventually(s.ctx, t, "the second run of job "+a.id, func() error {
			j, err := s.get(a.id)
			if err == nil && j.State != "succeeded" {
				err = fmt.Errorf("it is %s: %+v", j.State, j.Error)
			}
			return err
		})
		runs := column[int64](t, conn, `SELECT run FROM sluice.loads WHERE job_id = $1`, a.id)
		if len(runs) != 1 || runs[0] != 2 {
			t.Errorf("job %s was loaded in the runs %v", a.id, runs)
		}
	}
	s.check()
}
