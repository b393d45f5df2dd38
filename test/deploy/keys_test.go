package deploy

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestKeys runs the API of compose.yaml with keys, and holds that the command makes and revokes them, and that no user was refused
// anything.
func TestKeys(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	s := &site{natsURL: at(t, nats), database: testenv.Database(t)}
	s.setUp(t)
	s.start(t, "status", "status")
	c := s.openWithKeys(t)
	if said := s.running[len(s.running)-1].said.String(); !strings.Contains(said, `"keys":"asked for"`) {
		t.Errorf("it does not say that it asks for keys: %s", said)
	}
	key, id := s.newKey(t, "--scopes", "read,write", "--queued-jobs", "2")
	c.expect(t, "", http.StatusUnauthorized)
	c.expect(t, key, http.StatusOK)
	for n, want := range []int{http.StatusAccepted, http.StatusAccepted, http.StatusTooManyRequests} {
		if got := c.post(t, key, fmt.Sprintf(`{"url":"http://localhost/x.csv","table":"x%d"}`, n)); got != want {
			t.Errorf("job %d is answered with %d", n, got)
		}
	}
	if list := s.keys(t, "ls"); !strings.Contains(list, id) || strings.Contains(list, key) {
		t.Errorf("listed are\n%s", list)
	}
	s.keys(t, "revoke", id)
	c.expect(t, key, http.StatusUnauthorized)
	s.stop(t)
	if log := nats.said.String(); strings.Contains(log, violation) {
		t.Errorf("users were refused something:\n%s", log)
	}
}

// openWithKeys runs the API as it asks for keys, and waits until it is ready.
func (s *site) openWithKeys(t *testing.T) client {
	t.Helper()
	api := run(t, environment(t, "api", map[string]string{
		"SLUICE_NATS_URL": s.natsURL("api"), "SLUICE_API_ADDR": "0.0.0.0:0", "SLUICE_OPS_ADDR": "127.0.0.1:0", "SLUICE_WITHOUT_KEYS": "0",
	}), program(t, "api"))
	s.running = append(s.running, api)
	c := client{api.address(t)}
	c.awaitReady(t)
	return c
}

// keys is what `sluice admin keys` says.
func (s *site) keys(t *testing.T, args ...string) string {
	t.Helper()
	p := s.start(t, "setup", "sluice", append([]string{"admin", "keys"}, args...)...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("sluice admin keys %v: %d %s", args, code, p.said.String())
	}
	return p.said.String()
}

// newKey makes a key, and returns it and its id.
func (s *site) newKey(t *testing.T, flags ...string) (key, id string) {
	t.Helper()
	found := regexp.MustCompile(`sluice_([0-9a-f]{8})_[a-km-np-z2-9]{52}`).FindStringSubmatch(
		s.keys(t, append([]string{"create", "--name", "test"}, flags...)...))
	if found == nil {
		t.Fatal("no key is printed")
	}
	return found[0], found[1]
}

// expect holds that requests with a key are, sooner or later, answered with a status.
func (c client) expect(t *testing.T, key string, want int) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "the key works as it should", func() error {
		if got := c.keyed(t, http.MethodGet, key, ""); got != want {
			return fmt.Errorf("answered %d, want %d", got, want)
		}
		return nil
	})
}

func (c client) post(t *testing.T, key, body string) int {
	return c.keyed(t, http.MethodPost, key, body)
}

// keyed asks for jobs, or for a job, with a key, and returns the answer's status.
func (c client) keyed(t *testing.T, method, key, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(testenv.Context(t), method, c.api+"/v1/jobs", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}
