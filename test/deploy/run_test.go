package deploy

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestDeployment runs the programs of the images as compose.yaml has them run, except for addresses, and holds that they
// do their work without ever wanting more than their users may.
func TestDeployment(t *testing.T) {
	t.Parallel()
	nats, database := startNATS(t), testenv.Database(t)
	start := func(service, name string, args ...string) *process {
		return run(t, environment(t, service, map[string]string{
			"SLUICE_NATS_URL": nats.url(t, service), "SLUICE_POSTGRES_URL": database,
			"SLUICE_API_ADDR": "0.0.0.0:0", "SLUICE_OPS_ADDR": "127.0.0.1:0",
		}), program(t, name), args...)
	}
	for range 2 { // it may be run again at any time
		if p := start("setup", "sluice", compose(t, nil).Services["setup"].Command...); p.wait(t) != 0 {
			t.Fatalf("the set-up failed: %s", p.said.String())
		}
	}
	api, status := start("api", "api"), start("status", "status")
	c := client{api.address(t)}
	c.awaitReady(t)
	files := serve(t)

	all := c.watch(t, "/v1/events")

	queued := c.load(t, files+"/tripsdata.csv")
	if answer := c.call(t, "/job_cancel?jobId="+queued, nil); answer["state"] != "cancelled" {
		t.Errorf("a queued job that is cancelled is %v", answer)
	}
	ingesters := []*process{start("ingester", "ingester"), start("ingester", "ingester")}
	loaded := c.load(t, files+"/tripsdata.csv")
	c.watch(t, "/v1/jobs/"+loaded+"/events").await(t, "succeeded", loaded)
	all.await(t, "succeeded", loaded)
	c.await(t, loaded, "completed")
	c.await(t, c.load(t, files+"/gone.csv"), "failed")
	c.await(t, c.load(t, files+"/busy.csv"), "retry")
	running := c.load(t, files+"/slow.csv")
	c.await(t, running, "active")
	c.call(t, "/job_cancel?jobId="+running, nil)
	c.await(t, running, "cancelled")
	c.await(t, queued, "cancelled")

	c.retry(t, running)
	c.await(t, running, "active")
	reconciling := start("setup", "sluice", "admin", "reconcile")
	code := reconciling.wait(t)
	if said := reconciling.said.String(); code != 0 || !strings.Contains(said, `{"documents":`) {
		t.Errorf("reconciling ended with %d and says %s", code, said)
	}

	handed := c.load(t, files+"/slow.csv")
	c.await(t, handed, "active")
	for _, p := range append(ingesters, status, api) {
		if code := p.stop(t); code != 0 {
			t.Errorf("%s ended with %d", p.cmd.Path, code)
		}
		if said := p.said.String(); strings.Contains(strings.ToLower(said), "violation") {
			t.Errorf("%s was refused something:\n%s", p.cmd.Path, said)
		}
	}
	if log := nats.said.String(); strings.Contains(log, violation) {
		t.Errorf("users were refused something:\n%s", log)
	}
}

// address is where the API is reached.
func (p *process) address(t *testing.T) string {
	t.Helper()
	port := ""
	testenv.Eventually(testenv.Context(t), t, "the API listens", func() error {
		found := regexp.MustCompile(`"the API listens".*"addr":"[^"]+:(\d+)"`).FindStringSubmatch(p.said.String())
		if found == nil {
			return errors.New(p.said.String())
		}
		port = found[1]
		return nil
	})
	return "http://localhost:" + port
}

// serve is the file server of compose.yaml, and a few files that are worse.
func serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	dir := t.TempDir()
	if output, err := exec.Command("sh", deployed("sample.sh"), dir).CombinedOutput(); err != nil {
		t.Fatalf("writing the sample: %v\n%s", err, output)
	}
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	mux.HandleFunc("/busy.csv", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/slow.csv", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "a\n1\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // never the rest
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

// client speaks the first design's API, as the README does.
type client struct{ api string }

func (c client) awaitReady(t *testing.T) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "the API is ready", func() error {
		answer, err := http.Get(c.api + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		return nil
	})
}

// call gets a path, or posts a form there.
func (c client) call(t *testing.T, path string, form url.Values) map[string]string {
	t.Helper()
	var answer *http.Response
	var err error
	if form == nil {
		answer, err = http.Get(c.api + path)
	} else {
		answer, err = http.PostForm(c.api+path, form)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(data, &fields); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", path, answer.Status, data)
	}
	return fields
}

// load creates a job and returns its id.
func (c client) load(t *testing.T, file string) string {
	t.Helper()
	return c.call(t, "/download_file", url.Values{"fileUrl": {file}})["jobId"]
}

// retry runs a job again.
func (c client) retry(t *testing.T, id string) {
	t.Helper()
	answer, err := http.Post(c.api+"/v1/jobs/"+id+"/retry", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		t.Fatalf("retrying job %s: %s", id, answer.Status)
	}
}

// watching is a stream of events that is being read.
type watching struct{ *bufio.Scanner }

func (c client) watch(t *testing.T, path string) watching {
	t.Helper()
	request, err := http.NewRequestWithContext(testenv.Context(t), http.MethodGet, c.api+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, answer.Status)
	}
	return watching{bufio.NewScanner(answer.Body)}
}

// await reads on until a job has got an event of this type.
func (w watching) await(t *testing.T, event, id string) {
	t.Helper()
	for last := ""; w.Scan(); {
		if name, ok := strings.CutPrefix(w.Text(), "event: "); ok {
			last = name
		}
		if last == event && strings.Contains(w.Text(), `"job_id":"`+id+`"`) {
			return
		}
	}
	t.Fatalf("the stream ended without %s of job %s: %v", event, id, w.Err())
}

func (c client) await(t *testing.T, id, state string) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "job "+id+" is "+state, func() error {
		now := c.call(t, "/job_status?jobId="+id, nil)["state"]
		if now == state {
			return nil
		}
		return fmt.Errorf("it is %s", now)
	})
}
