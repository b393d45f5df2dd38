package fault

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// cancels asks for the end of jobs at random instants, at the commit too. Each is loaded in full or not at all.
func cancels(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	jobs := sized(40, 200)
	from := serve(t, makeFile(random, 300<<10), true)
	delays := make([]time.Duration, jobs)
	for n := range delays {
		delays[n] = time.Duration(random.ExpFloat64() * float64(400*time.Millisecond))
	}
	var clients sync.WaitGroup
	for first := range 4 {
		clients.Go(func() {
			for n := first; n < jobs; n += 4 {
				a, err := s.try(from, fmt.Sprintf("cancelled%d", n), nil)
				if err != nil {
					t.Error(err)
					return
				}
				a.outcomes = []string{"succeeded", "cancelled"}
				<-time.After(delays[n])
				answered, err := s.call(http.MethodPost, "/v1/jobs/"+a.id+"/cancel", "")
				if err != nil || answered.status != http.StatusOK && answered.status != http.StatusAccepted && answered.status != http.StatusConflict {
					t.Errorf("cancelling job %s: %d %s (%v)", a.id, answered.status, answered.body, err)
				}
			}
		})
	}
	clients.Wait()
	counts := make(map[string]int)
	for _, a := range s.jobs {
		counts[s.awaitEnd(a.id).State]++
	}
	t.Logf("the jobs are %v", counts)
	s.cancelAtCommit(from)
	s.check()
}

// cancelAtCommit asks for the end of jobs while the COMMIT that publishes their rows is on its way, or what comes before.
func (s *system) cancelAtCommit(from *source) {
	s.t.Helper()
	for n := range sized(6, 30) {
		resume := make(chan struct{})
		held := make(chan struct{})
		for _, w := range s.workers {
			reached := w.wire.HoldAt([]string{publishes, commit, copiesRows}[n%3], resume)
			go func() {
				select {
				case <-reached:
					select {
					case held <- struct{}{}:
					case <-resume:
					}
				case <-resume:
				}
			}()
		}
		a := s.submit(from, fmt.Sprintf("atcommit%d", n), nil)
		a.outcomes = []string{"succeeded", "cancelled"}
		select {
		case <-held:
		case <-s.ctx.Done():
			s.t.Fatal("no worker commits")
		}
		answered, err := s.call(http.MethodPost, "/v1/jobs/"+a.id+"/cancel", "")
		if err != nil || answered.status != http.StatusOK && answered.status != http.StatusAccepted {
			s.t.Errorf("cancelling job %s: %d %s (%v)", a.id, answered.status, answered.body, err)
		}
		s.after(0, 300*time.Millisecond)
		close(resume)
		for _, w := range s.workers {
			w.wire.Disarm()
		}
		s.awaitEnd(a.id)
	}
}
