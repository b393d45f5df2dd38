package fault

import (
	"math/rand/v2"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// links makes all ways slow, and cuts connections at random.
func links(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	s.loadMany(1)
	from := serve(t, makeFile(random, sized(6, 30)<<20), true)
	way := testenv.StartProxy(t, "tcp", from.addr)
	from.at(way.Addr())
	way.Change(testenv.Link{Latency: 10 * time.Millisecond, BytesPerSecond: 2 << 20})
	for _, w := range s.workers {
		w.wire.Change(testenv.Link{Latency: 5 * time.Millisecond, BytesPerSecond: 4 << 20, CutAfter: 8 << 20, Random: rand.New(rand.NewPCG(random.Uint64(), 0))})
		w.link.Change(testenv.Link{Latency: 20 * time.Millisecond, CutAfter: 200 << 10, Random: rand.New(rand.NewPCG(random.Uint64(), 0))})
		w.cutAll()
	}
	s.services.Change(testenv.Link{Latency: 20 * time.Millisecond, CutAfter: 500 << 10, Random: rand.New(rand.NewPCG(random.Uint64(), 0))})
	s.services.Cut()
	s.services.Restore()
	s.awaitReady()
	a := s.submit(from, "links", nil)
	for range 3 { // the source breaks off, too, but not as often as a job has attempts
		s.after(time.Second, 3*time.Second)
		way.Cut()
		way.Restore()
	}
	s.awaitEnd(a.id)
	for _, w := range s.workers {
		w.link.Change(testenv.Link{})
		w.wire.Change(testenv.Link{})
	}
	s.services.Change(testenv.Link{})
	s.loadMany(3)
	s.check()
}

// cutAll ends the connections of a worker, which makes new ones.
func (w *worker) cutAll() {
	w.link.Cut()
	w.wire.Cut()
	w.link.Restore()
	w.wire.Restore()
}
