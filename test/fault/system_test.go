package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// patience bounds a case: the longest ones wait for five attempts and their pauses.
const patience = 6 * time.Minute

// system is all of Sluice, on a NATS server and a Postgres of its own. Each of its processes reaches the others through a
// proxy, which can be cut, slowed and told that the other side has moved.
type system struct {
	t      *testing.T
	ctx    context.Context
	random *rand.Rand

	programs string   // where those of the services are
	env      []string // of services that are started from now on

	queue    *queue
	database *database
	links    []*testenv.Proxy // to NATS
	wires    []*testenv.Proxy // to Postgres
	door     *testenv.Proxy   // to the API
	services *testenv.Proxy   // from the API and status to NATS
	api      *process
	status   *process
	workers  map[string]*worker
	bus      *bus.Bus

	mu    sync.Mutex
	jobs  []*accepted
	byID  map[string]*accepted
	keys  int
	tried map[string]*file // what was asked for, by its table, be it accepted or not
}

// place is where the stores of a system lie, if not among the temporary files.
type place struct {
	queue, database string
	tables          string            // of Postgres's tables alone
	settings        map[string]string // of Postgres
}

// start runs a system with as many ingesters.
func start(t *testing.T, random *rand.Rand, workers int) *system {
	t.Helper()
	return startIn(t, random, workers, place{})
}

func startIn(t *testing.T, random *rand.Rand, workers int, where place) *system {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s := &system{t: t, ctx: ctx, random: random, programs: programs, workers: make(map[string]*worker),
		tried: make(map[string]*file), byID: make(map[string]*accepted)}
	if where.queue == "" {
		where.queue = testenv.Dir(t)
	}
	if where.database == "" {
		where.database = testenv.Dir(t)
	}
	s.queue = startQueue(t, where.queue)
	s.database = startDatabase(t, where.database, where.settings)
	if where.tables != "" {
		s.database.move(t, where.tables)
	}
	s.services = s.linkToQueue()
	s.setUp()
	s.door = testenv.StartProxy(t, "tcp", "127.0.0.1:1")
	s.startAPI()
	s.startStatus()
	for n := range workers {
		s.addWorker(string(rune('a' + n)))
	}
	nc, err := bus.Connect("nats://"+s.linkToQueue().Addr(), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if s.bus, err = bus.Bind(testenv.Context(t), nc); err != nil {
		t.Fatal(err)
	}
	s.awaitReady()
	return s
}

// setUp is the set-up step, which may be run at any time.
func (s *system) setUp() {
	s.t.Helper()
	p := run(s.t, filepath.Join(programs, "sluice"), []string{
		"SLUICE_NATS_URL=nats://" + s.queue.addr, "SLUICE_POSTGRES_URL=" + s.database.server.SocketURL(s.database.name),
	}, "setup")
	if code := p.wait(s.t); code != 0 {
		s.t.Fatalf("sluice setup ended with %d: %s", code, p.lastWords())
	}
}

func (s *system) linkToQueue() *testenv.Proxy {
	link := testenv.StartProxy(s.t, "tcp", s.queue.addr)
	s.links = append(s.links, link)
	return link
}

func (s *system) startAPI() {
	s.t.Helper()
	s.api = s.run("sluice-api", "SLUICE_NATS_URL=nats://"+s.services.Addr(), "SLUICE_API_ADDR=127.0.0.1:0")
	s.api.await(s.ctx, s.t, "the API listens")
	found := regexp.MustCompile(`"the API listens".*"addr":"([^"]+)"`).FindStringSubmatch(s.api.said.String())
	if found == nil {
		s.t.Fatal("the API does not say where it listens")
	}
	s.door.Redirect(found[1])
}

func (s *system) startStatus() {
	s.status = s.run("sluice-status", "SLUICE_NATS_URL=nats://"+s.services.Addr())
}

// run runs one of the services.
func (s *system) run(name string, env ...string) *process {
	return run(s.t, filepath.Join(s.programs, name), append(env, s.env...))
}

// awaitReady waits until the API serves, with status behind it.
func (s *system) awaitReady() {
	s.t.Helper()
	testenv.Eventually(s.ctx, s.t, "the API is ready", func() error {
		if a, err := s.call("GET", "/readyz", ""); err != nil || a.status != 200 {
			return fmt.Errorf("%d %s (%w)", a.status, a.body, err)
		}
		return nil
	})
}

// restartQueue starts the NATS server again, which lies at another address then.
func (s *system) restartQueue() {
	s.t.Helper()
	s.queue.start(s.t)
	for _, link := range s.links {
		link.Redirect(s.queue.addr)
	}
}

// restartDatabase starts Postgres again, which lies at another address then.
func (s *system) restartDatabase() {
	s.t.Helper()
	s.database.start(s.t)
	for _, wire := range s.wires {
		wire.Redirect(s.database.addr(s.t))
	}
}

// after waits for a random time.
func (s *system) after(least, most time.Duration) {
	select {
	case <-time.After(least + time.Duration(s.random.Int64N(int64(most-least)+1))):
	case <-s.ctx.Done():
	}
}
