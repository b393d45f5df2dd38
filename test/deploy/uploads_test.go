package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sluice/internal/testenv"
	"sluice/services/status"
)

// upload uploads a file, and returns what a job names it by.
func (c client) upload(t testing.TB, name, text string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, c.api+"/v1/uploads?filename="+name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Upload string }
	if err := json.Unmarshal(data, &told); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("uploading: %s %s (%v)", answer.Status, data, err)
	}
	return told.Upload
}

// submitUpload asks for a table to be loaded from an upload.
func (c client) submitUpload(t testing.TB, upload, table string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"upload": upload, "table": table})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, c.api+"/v1/jobs", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	j, status := c.ask(t, request)
	if status != http.StatusAccepted {
		t.Fatalf("the job of %s is answered with %d", upload, status)
	}
	return j.ID
}

// breakOff uploads a file that does not come to its end.
func (c client) breakOff(t testing.TB) {
	t.Helper()
	body := io.MultiReader(bytes.NewReader(make([]byte, 2<<20)), iotest.ErrReader(errors.New("broken off")))
	answer, err := http.Post(c.api+"/v1/uploads", "text/csv", body)
	if err == nil {
		answer.Body.Close()
		t.Errorf("a file that breaks off is answered with %s", answer.Status)
	}
}

// TestUploadsAsDeployed holds that each user may do with uploads what its service does, and that nothing is left of them.
func TestUploadsAsDeployed(t *testing.T) {
	t.Parallel()
	nats, ctx, s := startNATS(t), testenv.Context(t), &site{database: testenv.Database(t)}
	s.natsURL = at(t, nats)
	s.setUp(t)
	s.start(t, "status", "status")
	s.start(t, "ingester", "ingester")
	s.open(t)

	s.api.breakOff(t)
	loaded := s.api.upload(t, "loaded.csv", fileOfNumbers())
	s.api.awaitState(t, s.api.submitUpload(t, loaded, "loaded"), "succeeded")
	unused := s.api.upload(t, "unused.csv", fileOfNumbers())
	failed := s.api.upload(t, "failed.csv", "a\n\"never closed\n")
	job := s.api.submitUpload(t, failed, "failed")
	for range 2 {
		s.api.awaitState(t, job, "failed")
		s.api.retry(t, job)
	}
	s.api.awaitState(t, job, "failed")
	if got := s.tables(t); got["loaded"] != numbersOfAll() || len(got) != 1 {
		t.Errorf("there are %v", got)
	}
	observed := s.observe(t, nats, unused)

	b := nats.bind(ctx, t, "status") // which sweeps at once
	config := status.DefaultConfig()
	config.Log = testenv.Log(t)
	config.Uploads = status.UploadRules{Every: 20 * time.Millisecond, Age: 10 * time.Millisecond, Margin: 10 * time.Millisecond}
	replica, err := status.New(config, b)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = replica.Run(ctx) }()
	testenv.Eventually(ctx, t, "uploads are swept", func() error {
		stock, err := b.Uploads.All(ctx)
		if err == nil && len(stock.Uploads)+len(stock.Remains) > 0 {
			err = fmt.Errorf("there are %+v", stock)
		}
		return err
	})
	s.stop(t)
	if log := nats.said.String(); strings.Count(log, violation) != observed {
		t.Errorf("users were refused something:\n%s", log)
	}
}

// observe holds what observer sees of an upload, and returns how often it was refused something.
func (s *site) observe(t *testing.T, nats *server, upload string) int {
	t.Helper()
	command, err := natsCommand()
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(upload, "upload:")
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(testenv.Context(t), command, append([]string{"--server", nats.url(t, "observer"), "--timeout", "2s"}, args...)...)
		cmd.Env = append(cmd.Environ(), "XDG_CONFIG_HOME="+t.TempDir())
		output, err := cmd.CombinedOutput()
		return string(output), err
	}
	for _, args := range [][]string{
		{"object", "info", "uploads", id}, {"object", "info", "uploads"}, {"stream", "subjects", "OBJ_uploads"}, {"stream", "report"},
	} {
		if said, err := run(args...); err != nil || args[0] == "object" && len(args) == 4 && !strings.Contains(said, "unused.csv") {
			t.Errorf("nats %s: %v: %s", strings.Join(args, " "), err, said)
		}
	}
	b := nats.connect(t, "observer")
	contents := []string{"$JS.API.STREAM.MSG.GET.OBJ_uploads", "$JS.API.DIRECT.GET.OBJ_uploads", "$JS.API.DIRECT.GET.OBJ_uploads.$O.uploads.C." + id}
	for _, subject := range contents {
		if err := errors.Join(b.PublishRequest(subject, "_INBOX.x", []byte(`{"seq":1}`)), b.Flush()); err != nil {
			t.Error(err)
		}
	}
	testenv.Eventually(testenv.Context(t), t, "the server says what it has refused", func() error {
		if refused := strings.Count(nats.said.String(), violation); refused != len(contents) {
			return fmt.Errorf("it has refused %d times", refused)
		}
		return nil
	})
	return len(contents)
}

// fileOfNumbers is the file that heldFiles serves.
func fileOfNumbers() string { return "n\n" + strings.ReplaceAll(numbersOfAll(), " ", "\n") + "\n" }
