package ingester_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// env is a queue, a database and what a test needs to look at both, in the role of all other actors.
type env struct {
	t    testing.TB
	ctx  context.Context
	nats *testenv.NATS
	bus  *bus.Bus
	js   jetstream.JetStream
	url  string // of the database
	db   *postgres.Database
	sql  *pgxpool.Pool
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, ctx: testenv.Context(t), nats: testenv.StartNATS(t), url: testenv.Database(t)}
	e.bus = e.nats.Bus("test")
	var err error
	if e.js, err = jetstream.New(e.bus.Conn); err != nil {
		t.Fatal(err)
	}
	e.db = e.connect(e.url)
	if err := e.db.Migrate(e.ctx); err != nil {
		t.Fatal(err)
	}
	if e.sql, err = pgxpool.New(e.ctx, e.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.sql.Close)
	return e
}

func (e *env) connect(url string) *postgres.Database {
	e.t.Helper()
	db, err := postgres.Connect(e.ctx, url, 6)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(db.Close)
	return db
}

// setting changes a worker before it starts.
type setting func(*ingester.Config, *ingester.Parts)

// worker is a running [ingester.Service].
type worker struct {
	stop  context.CancelFunc
	ended chan error
}

// start runs a worker of one slot that retries at once and commits small batches, over a NATS connection of its own.
func (e *env) start(name string, settings ...setting) *worker {
	e.t.Helper()
	c := ingester.DefaultConfig(name)
	c.Slots, c.Backoff, c.BatchBytes, c.Log = 1, 10*time.Millisecond, 16<<10, testenv.Log(e.t)
	limits := source.DefaultConfig()
	limits.Allow = []string{"127.0.0.0/8"}
	web, err := source.New(limits)
	if err != nil {
		e.t.Fatal(err)
	}
	parts := ingester.Parts{Database: e.db, Source: web}
	for _, change := range settings {
		change(&c, &parts)
	}
	if parts.Bus == nil {
		parts.Bus = e.bind(name, e.nats.URL())
	}
	s, err := ingester.New(c, parts)
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &worker{stop: stop, ended: make(chan error, 1)}
	go func() { w.ended <- s.Run(ctx) }()
	e.t.Cleanup(stop)
	select {
	case <-s.Ready():
	case err := <-w.ended:
		e.t.Fatalf("worker %s: %v", name, err)
	}
	return w
}

// end stops a worker and waits until it has handed over what it had.
func (e *env) end(w *worker) {
	e.t.Helper()
	w.stop()
	select {
	case err := <-w.ended:
		if err != nil {
			e.t.Errorf("stopping a worker: %v", err)
		}
	case <-e.ctx.Done():
		e.t.Fatal("the worker does not stop")
	}
}

func (e *env) bind(name, url string) *bus.Bus {
	e.t.Helper()
	nc, err := bus.Connect(url, name)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(nc.Close)
	b, err := bus.Bind(e.ctx, nc)
	if err != nil {
		e.t.Fatal(err)
	}
	return b
}

// proxiedNATS puts a proxy between a worker and NATS.
func (e *env) proxiedNATS(name string) (*testenv.Proxy, setting) {
	e.t.Helper()
	u, err := url.Parse(e.nats.URL())
	if err != nil {
		e.t.Fatal(err)
	}
	p := testenv.StartProxy(e.t, "tcp", u.Host)
	b := e.bind(name, "nats://"+p.Addr())
	return p, func(_ *ingester.Config, parts *ingester.Parts) { parts.Bus = b }
}

// proxiedDatabase puts a proxy between a worker and Postgres.
func (e *env) proxiedDatabase() (*testenv.Proxy, setting) {
	e.t.Helper()
	c, err := pgx.ParseConfig(e.url)
	if err != nil {
		e.t.Fatal(err)
	}
	port := strconv.Itoa(int(c.Port))
	network, server := "tcp", net.JoinHostPort(c.Host, port)
	if filepath.IsAbs(c.Host) {
		network, server = "unix", filepath.Join(c.Host, ".s.PGSQL."+port)
	}
	p := testenv.StartProxy(e.t, network, server)
	host, port, err := net.SplitHostPort(p.Addr())
	if err != nil {
		e.t.Fatal(err)
	}
	db := e.connect(fmt.Sprintf("host=%s port=%s user=%s password='%s' dbname=%s sslmode=disable",
		host, port, c.User, c.Password, c.Database))
	return p, func(_ *ingester.Config, parts *ingester.Parts) { parts.Database = db }
}

// newJob returns a job for a file that is not on the queue yet. Its table is called after its id.
func newJob(url string, changes ...func(*events.Spec)) events.Job {
	id := uuid.NewString()
	spec := events.Spec{
		Source: events.Source{URL: url}, Schema: "public", Table: "t_" + id, Mode: events.Create,
		Priority: events.Normal, CreatedAt: time.Now(),
	}
	for _, change := range changes {
		change(&spec)
	}
	return events.NewJob(id, 1, spec)
}

func urgently(s *events.Spec) { s.Priority = events.Urgent }

// submit puts a job on the queue and rings the bell.
func (e *env) submit(job events.Job) events.Job {
	e.t.Helper()
	sequence, err := e.bus.Jobs.Publish(e.ctx, job)
	if err != nil {
		e.t.Fatal(err)
	}
	e.report(job, events.Position{}, events.Queued{Sequence: sequence})
	return job
}

// report writes an event in the role of another actor.
func (e *env) report(job events.Job, at events.Position, data events.Payload) {
	e.t.Helper()
	at.Run = job.Run
	if _, err := e.bus.Events.Publish(e.ctx, events.New(job.ID, at, time.Now(), "test", data)); err != nil {
		e.t.Fatal(err)
	}
}

// register reads a job's register.
func (e *env) register(job events.Job) bus.Register {
	e.t.Helper()
	r, err := e.bus.Registers.Get(e.ctx, job.ID)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

// rewrite changes a job's register in the role of another actor, whatever others write meanwhile, and returns what it
// changed. With change returning false it leaves the register as it is.
func (e *env) rewrite(job events.Job, change func(*bus.Register) bool) (was bus.Register) {
	e.t.Helper()
	for {
		was = e.register(job)
		next := was
		if !change(&next) {
			return was
		}
		_, err := e.bus.Registers.Replace(e.ctx, job.ID, was, next)
		if err == nil {
			return was
		}
		if !errors.Is(err, bus.ErrConflict) {
			e.t.Fatal(err)
		}
	}
}

// inOneBatch makes a worker commit a file together with its publishing.
func inOneBatch(c *ingester.Config, _ *ingester.Parts) { c.BatchBytes, c.BatchTime = 1<<30, time.Hour }
