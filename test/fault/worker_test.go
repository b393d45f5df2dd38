package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// worker is an ingester with ways of its own to what it needs.
type worker struct {
	*process
	name string
	link *testenv.Proxy // to NATS
	wire *testenv.Proxy // to Postgres
	env  []string
	life int
}

// addWorker starts an ingester, with settings such as SLUICE_SLOTS=1.
func (s *system) addWorker(name string, settings ...string) *worker {
	s.t.Helper()
	w := &worker{name: name, link: s.linkToQueue(), wire: testenv.StartProxy(s.t, "tcp", s.database.addr(s.t))}
	s.wires = append(s.wires, w.wire)
	w.env = append([]string{
		"SLUICE_NATS_URL=nats://" + w.link.Addr(), "SLUICE_POSTGRES_URL=" + s.database.urlAt(s.t, w.wire.Addr()),
		"SLUICE_SOURCE_ALLOW=127.0.0.0/8", "SLUICE_BATCH_BYTES=" + strconv.Itoa(1<<(16+s.random.IntN(5))),
	}, settings...)
	s.workers[name] = w
	s.startWorker(w)
	return w
}

// startWorker starts an ingester again that has ended, under a name of its own, as a new container has one.
func (s *system) startWorker(w *worker) {
	w.life++
	w.process = s.run("sluice-ingester", append(slices.Clone(w.env), fmt.Sprintf("SLUICE_WORKER=%s-%d", w.name, w.life))...)
}

// known returns the worker that goes by a name in events.
func (s *system) known(by string) *worker {
	name, _, _ := strings.Cut(strings.TrimPrefix(by, "ingester/"), "-")
	return s.workers[name]
}

// workerOf is the worker that has begun a job last.
func (s *system) workerOf(a *accepted) *worker {
	s.t.Helper()
	e, _, found, err := s.bus.Events.Last(s.ctx, a.id, events.TypeStarted)
	if err != nil || !found {
		s.t.Fatalf("job %s was never begun (%v)", a.id, err)
	}
	return s.known(e.By)
}
