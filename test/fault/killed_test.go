package fault

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// killed ends the worker of a job at random bytes, more often than a job may fail in a row: it comes further in between.
func killed(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	from := serve(t, makeFile(random, sized(8, 40)<<20), random.IntN(2) == 0)
	at := make([]int, sized(6, 16))
	for n := range at {
		at[n] = random.IntN(len(from.content))
	}
	slices.Sort(at)
	gates := make([]*gate, len(at))
	for n := range at {
		gates[n] = from.addGate(at[n])
	}
	a := s.submit(from, "killed", nil)
	for n, g := range gates {
		s.reach(g)
		if n%2 == 0 {
			s.after(0, 3*time.Second) // something may have been committed, or not
		} else {
			s.after(2500*time.Millisecond, 3*time.Second) // what has come is
		}
		w := s.workerOf(a)
		w.kill()
		g.release()
		s.startWorker(w)
	}
	s.check()
	_, sent := from.totals()
	t.Logf("killed at %v of %d bytes, of which %d were sent", at, len(from.content), sent)
}

// reach waits until somebody stands at a gate.
func (s *system) reach(g *gate) {
	s.t.Helper()
	select {
	case <-g.reached:
	case <-s.ctx.Done():
		s.t.Fatalf("nobody has read up to byte %d", g.at)
	}
}
