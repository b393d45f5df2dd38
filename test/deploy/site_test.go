package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

// site is Sluice as it is deployed: the programs of the images, with the environment of compose.yaml except for addresses.
type site struct {
	natsURL  func(service string) string
	database string
	replicas int
	api      client
	running  []*process
}

// start runs a service.
func (s *site) start(t testing.TB, service, name string, args ...string) *process {
	t.Helper()
	p := run(t, environment(t, service, map[string]string{
		"SLUICE_NATS_URL": s.natsURL(service), "SLUICE_POSTGRES_URL": s.database,
		"SLUICE_API_ADDR": "0.0.0.0:0", "SLUICE_OPS_ADDR": "127.0.0.1:0",
	}), program(t, name), args...)
	s.running = append(s.running, p)
	return p
}

func (s *site) setUp(t testing.TB) {
	t.Helper()
	p := s.start(t, "setup", "sluice", "setup", "--replicas", strconv.Itoa(max(s.replicas, 1)))
	if p.wait(t) != 0 {
		t.Fatalf("the set-up failed: %s", p.said.String())
	}
}

// open runs the API, and waits until it is ready.
func (s *site) open(t *testing.T) {
	t.Helper()
	s.api = client{s.start(t, "api", "api").address(t)}
	s.api.awaitReady(t)
}

// stop ends all services in order.
func (s *site) stop(t testing.TB) {
	t.Helper()
	for _, p := range s.running {
		p.stop(t)
	}
	s.running = nil
}

// job is a job as the API shows it.
type job struct {
	ID    string          `json:"id"`
	State string          `json:"state"`
	Error json.RawMessage `json:"error"`
}

// submit asks for a table to be loaded from a file, by an Idempotency-Key that is the table's name, and returns the answer's
// status.
func (c client) submit(t testing.TB, file, table string) (job, int) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"url": file, "table": table})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, c.api+"/v1/jobs", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "key of "+table)
	return c.ask(t, request)
}

// job is how a job stands, and the answer's status.
func (c client) job(t testing.TB, id string) (job, int) {
	t.Helper()
	request, err := http.NewRequestWithContext(testenv.Context(t), http.MethodGet, c.api+"/v1/jobs/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.ask(t, request)
}

func (c client) ask(t testing.TB, request *http.Request) (job, int) {
	t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var j job
	if answer.StatusCode < 300 {
		if err := json.Unmarshal(data, &j); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
	}
	return j, answer.StatusCode
}

// awaitState waits until a job is in a state, which if it is an end is the only one that it may end in.
func (c client) awaitState(t testing.TB, id, state string) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "job "+id+" is "+state, func() error {
		now, status := c.job(t, id)
		if status != http.StatusOK {
			return fmt.Errorf("the API answers %d", status)
		}
		if now.State != state && slices.Contains([]string{"succeeded", "failed", "cancelled"}, now.State) {
			t.Fatalf("job %s is %s: %s", id, now.State, now.Error)
		}
		if now.State != state {
			return fmt.Errorf("it is %s: %s", now.State, now.Error)
		}
		return nil
	})
}

// tables are the tables of the warehouse with their rows' numbers in order, as text.
func (s *site) tables(t testing.TB) map[string]string {
	t.Helper()
	ctx := testenv.Context(t)
	db, err := pgx.Connect(ctx, s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(ctx) }()
	rows, err := db.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		var numbers string
		query := "SELECT coalesce(string_agg(n, ' ' ORDER BY n::int), '') FROM public." + pgx.Identifier{name}.Sanitize()
		if err := db.QueryRow(ctx, query).Scan(&numbers); err != nil {
			t.Fatal(err)
		}
		all[name] = numbers
	}
	return all
}
