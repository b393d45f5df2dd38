package fault

import (
	"math/rand/v2"
	"testing"
	"time"
)

// poisoned has a job kill whatever worker has it, each time. It ends as failed, and the others go on.
func poisoned(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	from := serve(t, makeFile(random, 1<<20), true)
	gate := from.addGate(0) // never opened
	asked := make(chan struct{}, 100)
	from.asked = func(int) { asked <- struct{}{} }
	poison := s.submit(from, "poison", nil)
	poison.outcomes = []string{"failed"}
	s.reach(gate)
	killed := 0
	for ended := false; !ended; {
		select {
		case <-asked:
			w := s.workerOf(poison)
			w.kill()
			killed++
			s.startWorker(w)
		case <-time.After(500 * time.Millisecond):
			if len(s.jobs) < 60 {
				s.loadMany(1)
			}
			j, err := s.get(poison.id)
			if err != nil {
				t.Fatal(err)
			}
			ended = j.FinishedAt != nil
		case <-s.ctx.Done():
			t.Fatalf("the job has not ended after %d workers", killed)
		}
	}
	if j := s.awaitEnd(poison.id); j.why() != "attempts_exhausted" || killed != 5 {
		t.Errorf("after %d workers the job is %s: %+v", killed, j.State, j.Error)
	}
	s.check()
}
