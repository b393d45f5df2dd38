package fault

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// holes lets one link after the other swallow what is sent, for a while and without a word, in the middle of a job.
func holes(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	from := serve(t, makeFile(random, 6<<20), random.IntN(2) == 0)
	way := testenv.StartProxy(t, "tcp", from.addr)
	from.at(way.Addr())
	ways := []func(*worker) *testenv.Proxy{
		func(*worker) *testenv.Proxy { return way },
		func(w *worker) *testenv.Proxy { return w.wire },
		func(w *worker) *testenv.Proxy { return w.link },
		func(*worker) *testenv.Proxy { return s.services },
	}
	random.Shuffle(len(ways), func(i, k int) { ways[i], ways[k] = ways[k], ways[i] })
	at := make([]int, len(ways))
	for n := range at {
		at[n] = random.IntN(len(from.content))
	}
	slices.Sort(at)
	gates := make([]*gate, len(at))
	for n := range at {
		gates[n] = from.addGate(at[n])
	}
	a := s.submit(from, "holes", nil)
	for n, g := range gates {
		s.reach(g)
		through := ways[n](s.workerOf(a))
		through.Hole()
		g.release()
		s.after(2*time.Second, sized(5*time.Second, 30*time.Second))
		through.Mend()
	}
	s.loadMany(3)
	s.check()
}
