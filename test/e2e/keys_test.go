package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// TestFleetWithKeys runs Sluice for others than oneself: an API that the network reaches, which asks for keys and reads datasets
// by a role that logs in with a password and can do nothing else.
func TestFleetWithKeys(t *testing.T) {
	t.Parallel()
	const password = "reader's:own@1"
	nats, server := testenv.StartNATS(t), startPostgres(t)
	f := startFleetOn(t, nats, server.SocketURL("postgres"), nil, "one")
	if code := run(t, command, append(slices.Clone(f.env), "SLUICE_READER_PASSWORD="+password), "setup").wait(t, startTime); code != 0 {
		t.Fatalf("sluice setup with a password for the reader ended with %d", code)
	}
	f.stop(t) // the API that is open to this machine
	reader := loginURL(t, server, "sluice_reader", password)
	f.instance = f.awaitAPI(t, f.runAPI(t, "SLUICE_API_ADDR=0.0.0.0:0", "SLUICE_POSTGRES_URL="+reader))

	f.unauthenticated(t)
	reads, _ := f.newHolder(t, "--scopes", "read")
	writes, _ := f.newHolder(t, "--scopes", "read,write")
	drops, _ := f.newHolder(t, "--scopes", "admin")
	f.unauthenticated(t) // now that there are keys

	people := map[string]any{"url": testenv.Files(t, map[string]string{"/people.csv": "id,name\n1,Ada\n2,Grace\n"}) + "/people.csv", "table": "people"}
	refused(t, reads.call(t, http.MethodPost, "/v1/jobs", `{"url":"http://localhost/a.csv"}`, "Content-Type: application/json"), http.StatusForbidden, "scope_missing")
	writes.awaitState(t, writes.submit(t, people).ID, "succeeded")
	const table, rows = "/v1/datasets/people", "/v1/datasets/people/rows?format=csv"
	if a := reads.get(t, rows); a.status != http.StatusOK || string(a.body) != "id,name\r\n1,Ada\r\n2,Grace\r\n" {
		t.Errorf("the rows are %d %q", a.status, a.body)
	}
	refused(t, drops.get(t, rows), http.StatusForbidden, "scope_missing") // no scope includes another one
	refused(t, writes.call(t, http.MethodDelete, table, ""), http.StatusForbidden, "scope_missing")
	checkReader(t, server, reader)

	nats.Stop()
	if a := reads.get(t, rows); a.status != http.StatusOK {
		t.Errorf("without NATS the rows are answered with %d %s", a.status, a.body)
	}
	f.unauthenticated(t)
	refused(t, writes.call(t, http.MethodGet, "/v1/jobs", ""), http.StatusServiceUnavailable, "status_unavailable")
	nats.Start()
	f.awaitReady(t)
	writes.awaitState(t, writes.submit(t, map[string]any{"url": people["url"], "table": "more"}).ID, "succeeded")
	if a := drops.call(t, http.MethodDelete, table, ""); a.status != http.StatusNoContent {
		t.Errorf("dropped is %d %s", a.status, a.body)
	}
	refused(t, reads.get(t, rows), http.StatusNotFound, "dataset_not_found")

	watched := reads.watch(t, "/v1/events", "")
	f.keys(t, "revoke", strings.Split(reads.key, "_")[1])
	for { // the stream is broken off
		if _, err := watched.next(); err != nil {
			break
		}
	}
	refused(t, reads.get(t, "/v1/jobs"), http.StatusUnauthorized, "unauthenticated")

	once, first := f.newHolder(t, "--scopes", "read", "--requests-per-minute", "1")
	if policy, left := first.header.Get("RateLimit-Policy"), first.header.Get("RateLimit"); first.status != http.StatusOK ||
		policy != `"requests";q=1;w=60` || left != `"requests";r=0;t=60` {
		t.Errorf("the first request is answered %d, with %s and %s", first.status, policy, left)
	}
	second := once.get(t, "/v1/jobs")
	refused(t, second, http.StatusTooManyRequests, "rate_limited")
	if second.header.Get("Retry-After") == "" || second.header.Get("RateLimit") == "" {
		t.Errorf("the second one has the headers %v", second.header)
	}
}

// keys is what `sluice admin keys` prints.
func (f *fleet) keys(t *testing.T, args ...string) string {
	t.Helper()
	p := run(t, command, f.env, append([]string{"admin", "keys"}, args...)...)
	if code := p.wait(t, startTime); code != 0 {
		t.Fatalf("sluice admin keys %v ended with %d", args, code)
	}
	return strings.TrimSuffix(p.Stdout.String(), "\n")
}

// newHolder makes a key, and returns the API as who holds it has it, and the first answer of one that knows the key.
func (f *fleet) newHolder(t *testing.T, flags ...string) (holder *instance, first answer) {
	t.Helper()
	with := *f.instance
	with.key = f.keys(t, append([]string{"create", "--name", t.Name()}, flags...)...)
	testenv.Eventually(testenv.Context(t), t, "the key is known", func() error {
		if first = with.get(t, "/v1/jobs"); first.status == http.StatusUnauthorized {
			return errors.New(string(first.body))
		}
		return nil
	})
	return &with, first
}

// unauthenticated holds that nobody does anything without a key that is one.
func (f *fleet) unauthenticated(t *testing.T) {
	t.Helper()
	unknown := "Authorization: Bearer sluice_00000000_" + strings.Repeat("a", 52)
	for _, headers := range [][]string{nil, {unknown}} {
		for _, asked := range [][]string{{http.MethodGet, "/v1/jobs"}, {http.MethodPost, "/v1/jobs"}, {http.MethodGet, "/v1/datasets"}, {http.MethodGet, "/metrics"}} {
			a := f.call(t, asked[0], asked[1], "", headers...)
			refused(t, a, http.StatusUnauthorized, "unauthenticated")
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="sluice"`) {
				t.Errorf("%v asks for %q", asked, got)
			}
		}
	}
}

// checkReader holds that the API has logged in as the reader, who needs a password and can write nothing.
func checkReader(t *testing.T, server *localpg.Server, reader string) {
	t.Helper()
	roles := column[string](t, connect(t, server.SocketURL("postgres")), `SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'sluice-api'`)
	if !slices.Equal(roles, []string{"sluice_reader"}) {
		t.Errorf("the API is logged in as %v", roles)
	}
	wrong := loginURL(t, server, "sluice_reader", "wrong")
	if _, err := pgx.Connect(testenv.Context(t), wrong); stateOf(err) != "28P01" {
		t.Errorf("with a wrong password: %v", err)
	}
	conn := connect(t, reader)
	for _, sql := range []string{
		"INSERT INTO public.people VALUES ('3', 'Eve')", "UPDATE public.people SET name = 'Eve'", "DELETE FROM public.people", "TRUNCATE public.people",
		"DROP TABLE public.people", "CREATE TABLE sluice.mine ()", "DELETE FROM sluice.loads", "CREATE ROLE eve", "SET ROLE " + localpg.Superuser,
	} {
		if _, err := conn.Exec(testenv.Context(t), sql); stateOf(err) != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// stateOf is the SQLSTATE of what a server has said.
func stateOf(err error) string {
	said, _ := errors.AsType[*pgconn.PgError](err)
	if said == nil {
		return fmt.Sprint(err)
	}
	return said.Code
}

// startPostgres runs a server for a test alone, whose roles no other test changes.
func startPostgres(t *testing.T) *localpg.Server {
	t.Helper()
	s, err := testenv.StartPostgres(testenv.Context(t), testenv.Dir(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// loginURL is how a role logs in over TCP, where the server asks for its password.
func loginURL(t *testing.T, s *localpg.Server, role, password string) string {
	t.Helper()
	address, err := url.Parse(s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(role, password)
	return address.String()
}
