package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// job is a job as the API shows it.
type job struct {
	ID            string     `json:"id"`
	State         string     `json:"state"`
	Priority      string     `json:"priority"`
	Source        string     `json:"source"`
	Table         string     `json:"table"`
	Mode          string     `json:"mode"`
	CreatedAt     time.Time  `json:"created_at"`
	StartedAt     *time.Time `json:"started_at"`
	FinishedAt    *time.Time `json:"finished_at"`
	NextAttemptAt *time.Time `json:"next_attempt_at"`
	Attempt       int        `json:"attempt"`
	Progress      struct {
		Phase      string   `json:"phase"`
		Bytes      int64    `json:"bytes"`
		TotalBytes *int64   `json:"total_bytes"`
		Rows       int64    `json:"rows"`
		Rejected   int64    `json:"rejected"`
		Percent    *float64 `json:"percent"`
	} `json:"progress"`
	Error *failure `json:"error"`
	Links struct {
		Self   string `json:"self"`
		Result string `json:"result"`
	} `json:"links"`
}

type failure struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	Retryable  bool   `json:"retryable"`
	Line       int64  `json:"line"`
	Column     int64  `json:"column"`
	ByteOffset *int64 `json:"byte_offset"`
}

type result struct {
	JobID    string `json:"job_id"`
	Outcome  string `json:"outcome"`
	Table    string `json:"table"`
	Rows     int64  `json:"rows"`
	Rejected int64  `json:"rejected"`
	Bytes    int64  `json:"bytes"`
	Columns  []struct {
		Original string `json:"original"`
		Name     string `json:"name"`
		Type     string `json:"type"`
	} `json:"columns"`
	Checksum       string `json:"checksum"`
	UnchangedSince string `json:"unchanged_since"`
}

type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
}

// answer is what the API said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request with headers in the form "Name: value".
func (i *instance) call(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(testenv.Context(t), method, i.api+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	i.identify(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: data}
}

// identify has a request say whose it is.
func (i *instance) identify(r *http.Request) {
	if i.key != "" {
		r.Header.Set("Authorization", "Bearer "+i.key)
	}
}

func (i *instance) get(t testing.TB, target string) answer {
	t.Helper()
	return i.call(t, http.MethodGet, target, "")
}

// got decodes what is found at a path.
func got[T any](t testing.TB, i *instance, target string) T {
	t.Helper()
	a := i.get(t, target)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", target, a.status, a.body)
	}
	return decoded[T](t, a)
}

func decoded[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("decoding %s: %v", a.body, err)
	}
	return v
}

// submit creates a job from fields such as url and table.
func (i *instance) submit(t testing.TB, fields map[string]any, headers ...string) job {
	t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	a := i.call(t, http.MethodPost, "/v1/jobs", string(body), append(headers, "Content-Type: application/json")...)
	if a.status != http.StatusAccepted {
		t.Fatalf("creating a job for %v: %d %s", fields, a.status, a.body)
	}
	return decoded[job](t, a)
}

// await returns the job as soon as it is as wanted. A job that has ended otherwise fails the test.
func (i *instance) await(ctx context.Context, t testing.TB, id, what string, wanted func(job) bool) job {
	t.Helper()
	var j job
	testenv.Eventually(ctx, t, "job "+id+" "+what, func() error {
		j = got[job](t, i, "/v1/jobs/"+id)
		switch {
		case wanted(j):
			return nil
		case j.FinishedAt != nil:
			t.Fatalf("job %s %s: ended as %s, %+v", id, what, j.State, j.Error)
		}
		return fmt.Errorf("it is %s with %d rows, %+v", j.State, j.Progress.Rows, j.Error)
	})
	return j
}

func (i *instance) awaitState(t testing.TB, id, state string) job {
	t.Helper()
	return i.await(testenv.Context(t), t, id, "is "+state, func(j job) bool { return j.State == state })
}

// load brings a file into a table.
func (i *instance) load(t testing.TB, url, table string) job {
	t.Helper()
	return i.awaitState(t, i.submit(t, map[string]any{"url": url, "table": table}).ID, "succeeded")
}

// refused checks that an answer is a problem with this status and code.
func refused(t testing.TB, a answer, status int, code string) {
	t.Helper()
	if p := decoded[problem](t, a); a.status != status || p.Code != code || p.Status != status {
		t.Errorf("answered %d %s, want %d %s", a.status, a.body, status, code)
	}
	if media := a.header.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("the media type is %s", media)
	}
}

// reachable reports whether somebody still listens there.
func (i *instance) reachable(t testing.TB) error {
	t.Helper()
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodGet, i.api+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
