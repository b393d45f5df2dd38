package fault

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const (
	commit       = "commit\x00"  // how the driver asks for one
	publishes    = " RENAME TO " // of the staging table; sent as it is each time, while other statements are prepared
	copiesRows   = "COPY "
	acknowledges = "+ACK"
)

// moments ends workers between two steps of the protocol that belong together, each at another one.
func moments(t *testing.T, random *rand.Rand) {
	s := start(t, random, 0)
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	strike := map[string]func(w *worker) <-chan struct{}{
		"between making the staging table and the first rows": func(w *worker) <-chan struct{} { return w.wire.HoldAt(copiesRows, never) },
		"before the rows are published":                       func(w *worker) <-chan struct{} { return w.wire.HoldAt(publishes, never) },
		"before the last COMMIT is sent":                      func(w *worker) <-chan struct{} { return w.cutLastCommit(false) },
		"before the last COMMIT is answered":                  func(w *worker) <-chan struct{} { return w.cutLastCommit(true) },
		"between the commit and telling of it":                func(w *worker) <-chan struct{} { return w.link.HoldAt(".succeeded ", never) },
		"between telling and the register":                    func(w *worker) <-chan struct{} { return w.link.HoldAt(`"done"`, never) },
		"between the register and the acknowledgement":        func(w *worker) <-chan struct{} { return w.link.HoldAt(acknowledges, never) },
	}
	struck := make(map[string]<-chan struct{})
	for name, by := range strike {
		struck[name] = by(s.addWorker(fmt.Sprintf("w%d", len(struck)), "SLUICE_SLOTS=1"))
	}
	submit := func() {
		name := fmt.Sprintf("moment%d", len(s.jobs))
		s.submit(serve(t, makeFile(random, 1+random.IntN(1<<20)), random.IntN(2) == 0), []string{"", name}[random.IntN(2)], nil)
	}
	for range strike {
		submit()
	}
	for name, moment := range struck {
		for came := false; !came; {
			select {
			case <-moment:
				came = true
			case <-time.After(time.Second): // another worker may have had two of the jobs
				submit()
			case <-s.ctx.Done():
				t.Fatalf("no worker came to the moment %s", name)
			}
		}
	}
	for _, w := range s.workers {
		w.kill()
	}
	for _, w := range s.workers { // on the ways that are held, no one gets through any more
		s.startWorker(w)
	}
	s.check()
}

// cutLastCommit cuts the connection on which a dataset is published when that is to be committed: before, or with forward
// after the server has done so.
func (w *worker) cutLastCommit(forward bool) <-chan struct{} {
	resume, struck := make(chan struct{}), make(chan struct{})
	held := w.wire.HoldAt(publishes, resume)
	go func() {
		<-held
		cut := w.wire.CutAt(commit, forward)
		close(resume)
		<-cut
		close(struck)
	}()
	return struck
}
