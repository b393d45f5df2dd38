package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// frozen stops a worker for longer than its lease and wakes it up when another one has its job.
func frozen(t *testing.T, random *rand.Rand) {
	takeover(t, random, func(w *worker) { w.freeze() }, func(w *worker) { w.thaw() })
}

// cutOff takes NATS away from a worker for longer than its lease, while it goes on reading the file and writing to Postgres.
func cutOff(t *testing.T, random *rand.Rand) {
	takeover(t, random, func(w *worker) { w.link.Hole() }, func(w *worker) { w.link.Mend() })
}

func takeover(t *testing.T, random *rand.Rand, lose, find func(*worker)) {
	s := start(t, random, 2)
	from := serve(t, makeFile(random, 4<<20), random.IntN(2) == 0)
	first := from.addGate(random.IntN(len(from.content) * 3 / 4))
	second := from.addGate(first.at + random.IntN(len(from.content)-first.at))
	a := s.submit(from, "taken", nil)
	s.reach(first)
	s.after(0, 3*time.Second)
	loser := s.workerOf(a)
	lose(loser)
	winner := s.awaitTakeover(a, loser)
	switch random.IntN(3) {
	case 0: // while the other one has just begun
		find(loser)
		s.after(0, time.Second)
		first.release()
		second.release()
	case 1: // while it is further on
		first.release()
		s.reach(second)
		find(loser)
		s.after(0, time.Second)
		second.release()
	case 2: // when it is long through
		first.release()
		second.release()
		s.awaitEnd(a.id)
		find(loser)
	}
	j := s.awaitEnd(a.id)
	if j.Attempt != 2 {
		t.Errorf("there were %d attempts", j.Attempt)
	}
	for _, w := range []*worker{loser, winner} { // both are as good as before
		select {
		case <-w.ended:
			t.Errorf("worker %s has ended", w.name)
		default:
		}
	}
	s.loadMany(4)
	s.check()
}

// awaitTakeover waits until another worker has the job, and returns it.
func (s *system) awaitTakeover(a *accepted, loser *worker) *worker {
	s.t.Helper()
	winner := loser
	testenv.Eventually(s.ctx, s.t, "another worker has the job", func() error {
		if winner = s.workerOf(a); winner == loser {
			return errors.New("none has")
		}
		return nil
	})
	return winner
}

// loadMany submits so many small jobs, each for a table of its own.
func (s *system) loadMany(jobs int) []*accepted {
	s.t.Helper()
	from := serve(s.t, makeFile(s.random, 20<<10), true)
	list := make([]*accepted, jobs)
	for n := range list {
		list[n] = s.submit(from, fmt.Sprintf("small%d_%d", len(s.jobs), n), nil)
	}
	return list
}
