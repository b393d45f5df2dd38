package fault

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// oneKey sends a request a hundred times at once under one Idempotency-Key, and kills the API in between.
func oneKey(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	from := serve(t, makeFile(random, 200<<10), true)
	var requests sync.WaitGroup
	for range 100 {
		requests.Go(func() {
			testenv.Eventually(s.ctx, t, "the job is accepted", func() error {
				_, err := s.try(from, "once", nil, "Idempotency-Key: the one")
				return err
			})
		})
	}
	for range 3 {
		s.after(0, 300*time.Millisecond)
		s.api.kill()
		s.startAPI()
	}
	requests.Wait()
	if len(s.jobs) != 1 {
		t.Errorf("%d jobs were answered with", len(s.jobs))
	}
	s.check()
	if asked, _ := from.totals(); asked != 1 {
		t.Errorf("the file was asked for %d times", asked)
	}
	if _, err := s.try(from, "another", nil, "Idempotency-Key: the one"); err == nil || errors.Is(err, errUnavailable) {
		t.Errorf("another request under the key: %v", err)
	}
}
