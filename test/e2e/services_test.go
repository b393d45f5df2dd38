package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// fleet is Sluice as processes of their own, on a NATS server and a Postgres of the test's.
type fleet struct {
	*instance // its API
	database  string
	status    *process
	workers   map[string]*process
	bus       *bus.Bus
	env       []string
}

// startFleet runs the services, with ingesters of the given names, before what they need is set up, and returns when
// they serve.
func startFleet(t *testing.T, workers ...string) *fleet {
	t.Helper()
	return startFleetOn(t, testenv.StartNATS(t), testenv.Database(t), nil, workers...)
}

// startFleetOn runs the services on servers of the caller's, with further settings.
func startFleetOn(t *testing.T, nats *testenv.NATS, database string, settings []string, workers ...string) *fleet {
	t.Helper()
	ctx := testenv.Context(t)
	f := &fleet{database: database, workers: map[string]*process{}}
	f.env = append([]string{"SLUICE_NATS_URL=" + nats.URL(), "SLUICE_POSTGRES_URL=" + database}, settings...)

	api := f.runAPI(t)
	f.status = run(t, statusCommand, f.env)
	for _, name := range workers {
		f.runWorker(t, name)
	}
	for what, p := range map[string]*process{"api": api, "status": f.status} {
		if err := p.Stderr.Await(ctx, "not set up", p.Ended); err != nil {
			t.Fatalf("%s does not say what it waits for: %v", what, err)
		}
	}
	for name, p := range f.workers {
		if err := p.Stderr.Await(ctx, "schema sluice is missing", p.Ended); err != nil {
			t.Fatalf("ingester %s does not say what it waits for: %v", name, err)
		}
	}
	for range 2 { // it may be run again at any time
		if code := run(t, command, f.env, "setup").wait(t, startTime); code != 0 {
			t.Fatalf("sluice setup ended with %d", code)
		}
	}
	f.instance = f.awaitAPI(t, api)
	f.bus = bind(t, nats)
	return f
}

// runAPI runs an API, with further settings, which count more than those of the fleet.
func (f *fleet) runAPI(t *testing.T, settings ...string) *process {
	t.Helper()
	return run(t, apiCommand, slices.Concat(f.env, []string{"SLUICE_API_ADDR=127.0.0.1:0"}, settings))
}

// runWorker runs an ingester, with further settings, which count more than those of the fleet.
func (f *fleet) runWorker(t *testing.T, name string, settings ...string) *process {
	t.Helper()
	f.workers[name] = run(t, ingesterCommand, slices.Concat(f.env, []string{"SLUICE_WORKER=" + name, "SLUICE_SOURCE_ALLOW=127.0.0.0/8"}, settings))
	return f.workers[name]
}

// awaitAPI returns when an API serves.
func (f *fleet) awaitAPI(t *testing.T, p *process) *instance {
	t.Helper()
	ctx := testenv.Context(t)
	if err := p.Stderr.Await(ctx, "the API listens", p.Ended); err != nil {
		t.Fatalf("the API does not serve: %v", err)
	}
	found := regexp.MustCompile(`"the API listens".*"addr":"([^"]+)"`).FindStringSubmatch(p.Stderr.String())
	if found == nil {
		t.Fatal("the API does not say where it listens")
	}
	i := &instance{process: p, api: "http://" + found[1], postgres: f.database}
	i.awaitReady(t)
	return i
}

// awaitReady returns when an API can do its work.
func (i *instance) awaitReady(t *testing.T) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "the API is ready", func() error {
		if a := i.get(t, "/readyz"); a.status != 200 {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		return nil
	})
}

func bind(t *testing.T, nats *testenv.NATS) *bus.Bus {
	t.Helper()
	b, err := bus.Bind(testenv.Context(t), nats.Connect("test"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// worker is the ingester that has begun a job last.
func (f *fleet) worker(t *testing.T, id string) string {
	t.Helper()
	e, _, found, err := f.bus.Events.Last(testenv.Context(t), id, events.TypeStarted)
	if err != nil || !found {
		t.Fatalf("job %s was never begun (%v)", id, err)
	}
	return strings.TrimPrefix(e.By, "ingester/")
}

// TestJobOutlivesItsIngester ends the ingester that has a job halfway, and has the other one finish it.
func TestJobOutlivesItsIngester(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end      syscall.Signal
		attempts int
		within   time.Duration
	}{
		"told to end": {syscall.SIGTERM, 1, 5 * time.Second}, // handed over at once
		"killed":      {syscall.SIGKILL, 2, 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, slow := startFleet(t, "one", "two"), serveSlowly(t)
			id := f.submit(t, map[string]any{"url": slow.url, "table": "slow"}).ID
			f.await(testenv.Context(t), t, id, "is halfway", func(j job) bool { return j.State == "running" && j.Progress.Rows > 0 })

			first := f.worker(t, id)
			f.workers[first].Signal(tt.end)
			f.workers[first].wait(t, endTime)
			begun := time.Now()
			slow.goOn()
			j := f.awaitState(t, id, "succeeded")
			if took := time.Since(begun); took > tt.within {
				t.Errorf("the other ingester took %s", took)
			}
			if j.Attempt != tt.attempts || j.Progress.Rows != slowRows || f.worker(t, id) == first {
				t.Errorf("attempt %d at %s loaded %d rows", j.Attempt, f.worker(t, id), j.Progress.Rows)
			}
			conn := connect(t, f.database)
			if rows := column[int64](t, conn, `SELECT count(DISTINCT n) FROM public.slow UNION ALL SELECT count(*) FROM public.slow`); rows[0] != slowRows || rows[1] != slowRows {
				t.Errorf("%d rows, of them %d different", rows[1], rows[0])
			}
			expectNoStaging(t, conn)
		})
	}
}

// TestServicesRefuse holds that a process with a setting that cannot be right says so and ends.
func TestServicesRefuse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		program string
		env     []string
		args    []string
		says    string
	}{
		"no Postgres":     {ingesterCommand, nil, nil, "SLUICE_POSTGRES_URL"},
		"no slots":        {ingesterCommand, []string{"SLUICE_POSTGRES_URL=x", "SLUICE_SLOTS=0"}, nil, "SLUICE_SLOTS"},
		"slots in words":  {ingesterCommand, []string{"SLUICE_SLOTS=two"}, nil, "SLUICE_SLOTS"},
		"unknown allowed": {ingesterCommand, []string{"SLUICE_POSTGRES_URL=x", "SLUICE_SOURCE_ALLOW=10.0.0.0/99"}, nil, "SLUICE_SOURCE_ALLOW"},
		"a spoilt key":    {ingesterCommand, []string{"SLUICE_POSTGRES_URL=x", "SLUICE_SECRET_KEY=short"}, nil, "SLUICE_SECRET_KEY"},
		"open and closed": {apiCommand, []string{"SLUICE_API_ADDR=0.0.0.0:0"}, []string{"--require-keys", "--without-keys"}, "contradict"},
		"a loud log":      {statusCommand, []string{"SLUICE_LOG_LEVEL=loud"}, nil, "SLUICE_LOG_LEVEL"},
		"an unknown flag": {statusCommand, nil, []string{"--fast"}, "--fast"},
		"set up without":  {command, nil, []string{"setup"}, "--postgres-url"},
		"no upload":       {apiCommand, []string{"SLUICE_UPLOAD_BYTES=0"}, nil, "SLUICE_UPLOAD_BYTES"},
		"less than none":  {command, []string{"SLUICE_POSTGRES_URL=x", "SLUICE_UPLOAD_STORE_BYTES=-1"}, []string{"setup"}, "--upload-store-bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, tt.program, tt.env, tt.args...)
			if code := p.wait(t, startTime); code != 1 && code != 2 {
				t.Errorf("it ends with %d", code)
			}
			if said := p.Stderr.String(); !strings.Contains(said, tt.says) || strings.Contains(said, "goroutine") {
				t.Errorf("it says %s", said)
			}
		})
	}
}
