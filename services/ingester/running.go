package ingester

import (
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// running knows the attempts that are under way in this process, by job.
type running struct {
	mu       sync.Mutex
	attempts map[string]*attempt
}

func newRunning() *running { return &running{attempts: make(map[string]*attempt)} }

// enter adds an attempt. If one of the same job is under way already, that one adopts the message instead: its lease had
// lapsed while it was cut off from the queue, and it is as good as any other worker to finish. One that is through with
// its own message only tidies up, and makes room.
func (r *running) enter(a *attempt, msg jetstream.Msg) (entered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other, ok := r.attempts[a.job.ID]; ok && !other.lease.isOver() {
		if other.job.Run == a.job.Run {
			other.lease.adopt(msg)
		}
		return false
	}
	r.attempts[a.job.ID] = a
	return true
}

func (r *running) leave(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts[a.job.ID] == a {
		delete(r.attempts, a.job.ID)
	}
}

// changed tells the attempt of a job, if there is one, that the job's register was written.
func (r *running) changed(jobID string, register bus.Register) {
	r.mu.Lock()
	a := r.attempts[jobID]
	r.mu.Unlock()
	if a != nil {
		a.owner.seen(register)
	}
}

// jobs returns the ids of the jobs that are under way, in order, at most so many.
func (r *running) jobs(most int) []string {
	r.mu.Lock()
	ids := slices.Sorted(maps.Keys(r.attempts))
	r.mu.Unlock()
	return append([]string{}, ids[:min(len(ids), most)]...)
}
