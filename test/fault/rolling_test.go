package fault

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// rolling replaces one ingester after the other while they are at work. No job may be delayed by an attempt.
func rolling(t *testing.T, random *rand.Rand) {
	s := start(t, random, 3)
	replace := func(w *worker) {
		w.stop(t)
		s.startWorker(w)
		w.await(s.ctx, t, "health and metrics") // before that, a signal ends it out of order
	}
	jobs := sized(10, 60)
	var sources []*source
	var held *gate // by which the first job is at work, however slow the machine, when its worker is replaced
	for n := range jobs {
		from := serve(t, makeFile(random, 1<<20+random.IntN(2<<20)), random.IntN(2) == 0)
		from.pace = 30 * time.Millisecond
		if n == 0 {
			held = from.addGate(len(from.content) / 2)
		}
		sources = append(sources, from)
		s.submit(from, fmt.Sprintf("rolling%d", n), map[string]any{"priority": []string{"normal", "urgent"}[random.IntN(2)]})
	}
	s.reach(held)
	replace(s.workerOf(s.jobs[0]))
	held.release()
	for range sized(2, 6) {
		for _, w := range s.workers {
			s.after(0, 700*time.Millisecond)
			replace(w)
		}
	}
	for _, a := range s.jobs {
		if j := s.awaitEnd(a.id); j.Attempt != 1 {
			t.Errorf("job %s took %d attempts", j.ID, j.Attempt)
		}
	}
	s.check()
	handed := -jobs
	for _, from := range sources {
		asked, _ := from.totals()
		handed += asked
	}
	t.Logf("jobs were handed over %d times", handed)
	if handed == 0 {
		t.Error("no job was handed over")
	}
}
