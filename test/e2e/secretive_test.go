package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// secretive is a fleet that is told secrets, with all of its doors watched.
type secretive struct {
	*fleet
	canary
	nats             *testenv.NATS
	server           *localpg.Server
	dir              string       // of Postgres
	first, second    *testenv.Web // the sources' host, and one to which it redirects
	untrusted        *testenv.Web
	messages, stream record // what goes through NATS, and what the API tells live
}

// record is what was said so far.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.text.Bytes())
}

func startSecretive(t *testing.T) *secretive {
	t.Helper()
	ctx := testenv.Context(t)
	s := &secretive{
		canary: newCanary(t), nats: testenv.StartNATS(t), dir: testenv.Dir(t),
		first: testenv.StartWeb(t), second: testenv.StartWeb(t), untrusted: testenv.StartSecureWeb(t),
	}
	s.second.On("/stored", testenv.File(csvText))
	tap, err := s.nats.Connect("tap").Subscribe(">", func(m *nats.Msg) {
		_, _ = fmt.Fprintf(&s.messages, "%s %s %v %s\n", m.Subject, m.Reply, m.Header, m.Data)
	})
	if err == nil {
		err = tap.SetPendingLimits(-1, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.server, err = testenv.StartPostgres(ctx, s.dir, map[string]string{"log_statement": "all"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Stop(context.WithoutCancel(t.Context())) })
	s.fleet = startFleetOn(t, s.nats, s.server.SocketURL("postgres"), []string{
		"SLUICE_SECRET_KEY=" + s.key, "SLUICE_LOG_LEVEL=debug", "SLUICE_SLOTS=64", "SLUICE_CONNECTIONS=1",
		"SLUICE_SOURCE_BYTES=100000000", "SLUICE_SOURCE_STALL_TIME=2s", "SLUICE_SOURCE_HEADER_TIME=3s",
	}, "right")
	s.follow(t)
	return s
}

// follow keeps what the API tells live, to the end of the test.
func (s *secretive) follow(t *testing.T) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.api+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer func() { _ = response.Body.Close() }()
		_, _ = io.Copy(&s.stream, response.Body)
	}()
}

// ask calls the API, whose answer must hold no secret.
func (s *secretive) ask(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	a := s.call(t, method, target, body, headers...)
	s.expectSilent(t, "the answer to "+method+" "+target, fmt.Appendf(nil, "%v\n%s", a.header, a.body))
	return a
}

// expectTold checks that those who should were told the secrets, and nobody else.
func (s *secretive) expectTold(t *testing.T) {
	t.Helper()
	told := map[string]int{}
	for _, r := range s.first.Requests() {
		way := "bearer"
		if strings.HasSuffix(r.URL.Path, "-user.csv") {
			way = "user"
		}
		told[way]++
		user, password, _ := r.BasicAuth()
		if way == "user" && (user != s.secret("user") || password != s.secret("password")) {
			t.Errorf("%s was asked for by %q with password %q", r.URL.Path, user, password)
		}
		for name, value := range s.headers(way) {
			if r.Header.Get(name) != value {
				t.Errorf("%s was asked for with %s: %q, want %q", r.URL.Path, name, r.Header.Get(name), value)
			}
		}
		isAgain := strings.HasPrefix(r.URL.Path, "/endless-redirect") && r.URL.RawQuery == s.word
		if r.URL.Query().Get("token") != s.secret("token") && !isAgain || r.Header.Get("Referer") != "" {
			t.Errorf("%s was asked for with the query %q, Referer %q", r.URL.Path, r.URL.RawQuery, r.Header.Get("Referer"))
		}
	}
	if told["user"] < 20 || told["bearer"] < 20 {
		t.Errorf("the first host was asked %v times", told)
	}
	others := s.second.Requests()
	for _, r := range others {
		s.expectSilent(t, "the request to another host", fmt.Append(nil, r.Header, r.URL.Path))
		if got := r.URL.Query(); len(got) != 1 || got.Get("signature") != s.secret("signature") {
			t.Errorf("another host was asked with the query %v", got)
		}
	}
	if len(others) != 2 || len(s.untrusted.Requests()) > 0 {
		t.Errorf("the other hosts were asked %d and %d times", len(others), len(s.untrusted.Requests()))
	}
}
