package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// outages takes NATS away in every way while jobs are submitted. What was answered with 202 is loaded; everything else was
// answered with 503.
func outages(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	stop := s.submitAllTheTime(3)
	for _, outage := range []func(){
		func() { s.queue.kill(); s.restartQueue() },
		func() { s.queue.kill(); s.after(time.Second, 3*time.Second); s.restartQueue() },
		func() { s.queue.signal(syscall.SIGTERM); s.queue.wait(t); s.restartQueue() },
		func() { s.queue.retire(t); s.restartQueue() },
		func() { s.queue.freeze(); s.after(time.Second, 6*time.Second); s.queue.thaw() },
		func() { s.services.Hole(); s.after(time.Second, 6*time.Second); s.services.Mend() },
		func() {
			s.queue.kill()
			s.after(sized(12*time.Second, 3*time.Minute), sized(15*time.Second, 4*time.Minute))
			s.restartQueue()
		},
	} {
		s.after(0, 1500*time.Millisecond)
		outage()
		s.awaitReady()
	}
	accepted, refused := stop()
	t.Logf("%d jobs were accepted and %d were refused", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Error("nothing was tried")
	}
	s.check()
}

// submitAllTheTime has clients submit small jobs without end, and returns what stops them and tells how many were accepted
// and refused. The API answers all of them.
func (s *system) submitAllTheTime(clients int) (stop func() (accepted, refused int64)) {
	from := serve(s.t, makeFile(s.random, 10<<10), true)
	var yes, no atomic.Int64
	var work sync.WaitGroup
	end := make(chan struct{})
	for c := range clients {
		work.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-end:
					return
				case <-time.After(50 * time.Millisecond):
				}
				_, err := s.try(from, fmt.Sprintf("all_%d_%d", c, n), nil)
				switch {
				case err == nil:
					yes.Add(1)
				case errors.Is(err, errUnavailable):
					no.Add(1)
				case s.ctx.Err() == nil:
					s.t.Errorf("client %d: %v", c, err)
				}
			}
		})
	}
	return func() (int64, int64) {
		close(end)
		work.Wait()
		return yes.Load(), no.Load()
	}
}

// fullQueue fills the disk of NATS while jobs are submitted, and makes room again.
func fullQueue(t *testing.T, random *rand.Rand) {
	disk := mountDisk(t, 48<<20)
	s := startIn(t, random, 2, place{queue: disk.dir})
	stop := s.submitAllTheTime(3)
	for range sized(2, 5) {
		s.after(time.Second, 2*time.Second)
		disk.fill(t)
		s.after(2*time.Second, 4*time.Second)
		if random.IntN(2) == 0 { // it may come up again on a full disk, too
			s.queue.kill()
			s.restartQueue()
			s.after(0, time.Second)
		}
		disk.clear(t)
		s.queue.signal(syscall.SIGTERM) // a server that could not write says that it must be started anew
		s.queue.wait(t)
		s.restartQueue()
		s.awaitReady()
	}
	accepted, refused := stop()
	t.Logf("%d jobs were accepted and %d were refused", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Error("the disk was never full, or always")
	}
	s.check()
}
