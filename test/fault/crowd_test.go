package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// urgentWithin is how soon 95 of 100 urgent jobs begin, however many others wait.
const urgentWithin = 2 * time.Second

// crowd queues many small jobs with urgent ones among them, which are begun before the others, which go on.
func crowd(t *testing.T, random *rand.Rand) {
	s := start(t, random, 3)
	jobs := sized(500, 10_000)
	from := serve(t, makeFile(random, 2<<10), true)
	var mu sync.Mutex
	var urgent []*accepted
	var clients sync.WaitGroup
	for first := range 8 {
		clients.Go(func() {
			for n := first; n < jobs; n += 8 {
				fields := map[string]any{}
				if n%20 == 0 {
					fields["priority"] = "urgent"
				}
				a, err := s.try(from, fmt.Sprintf("t%d", n), fields)
				if err != nil {
					t.Error(err)
					return
				}
				if n%20 == 0 {
					mu.Lock()
					urgent = append(urgent, a)
					mu.Unlock()
				}
			}
		})
	}
	clients.Wait()
	var waits []time.Duration
	for _, a := range urgent {
		j := s.awaitEnd(a.id)
		waits = append(waits, j.StartedAt.Sub(j.CreatedAt))
	}
	slices.Sort(waits)
	p95 := waits[len(waits)*95/100]
	t.Logf("of %d urgent jobs the median began within %s, 95 of 100 within %s, the last within %s", len(waits),
		waits[len(waits)/2], p95, waits[len(waits)-1])
	if p95 > urgentWithin {
		t.Errorf("95 of 100 urgent jobs began within %s, want %s", p95, urgentWithin)
	}
	s.check()
}
