package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"sluice/internal/testenv"
)

// job is what the cases look at of a job.
type job struct {
	ID         string     `json:"id"`
	State      string     `json:"state"`
	Table      string     `json:"table"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Attempt    int        `json:"attempt"`
	Progress   struct {
		Rows int64 `json:"rows"`
	} `json:"progress"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// why is the code of what went wrong with the job last.
func (j job) why() string {
	if j.Error == nil {
		return ""
	}
	return j.Error.Code
}

// answer is what the API said.
type answer struct {
	status int
	body   []byte
}

var client = http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

func (s *system) call(method, target, body string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(s.ctx, method, "http://"+s.door.Addr()+target, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, data}, err
}

// get returns the job as it stands.
func (s *system) get(id string) (job, error) {
	a, err := s.call(http.MethodGet, "/v1/jobs/"+id, "")
	if err != nil {
		return job{}, err
	}
	var j job
	if a.status != http.StatusOK {
		return j, fmt.Errorf("%d %s", a.status, a.body)
	}
	return j, json.Unmarshal(a.body, &j)
}

// await returns the job as soon as it is as wanted. One that ends otherwise fails the test.
func (s *system) await(id, what string, wanted func(job) bool) job {
	s.t.Helper()
	var j job
	testenv.Eventually(s.ctx, s.t, "job "+id+" "+what, func() error {
		var err error
		if j, err = s.get(id); err != nil {
			return err
		}
		if !wanted(j) && j.FinishedAt != nil {
			s.t.Fatalf("job %s %s: it ended as %s, %+v", id, what, j.State, j.Error)
		}
		if !wanted(j) {
			return fmt.Errorf("it is %s in attempt %d with %d rows, %+v", j.State, j.Attempt, j.Progress.Rows, j.Error)
		}
		return nil
	})
	return j
}

// awaitEnd returns the job once it has ended.
func (s *system) awaitEnd(id string) job {
	s.t.Helper()
	return s.await(id, "ends", func(j job) bool { return j.FinishedAt != nil })
}

// awaitState returns the job once it is in a state.
func (s *system) awaitState(id, state string) job {
	s.t.Helper()
	return s.await(id, "is "+state, func(j job) bool { return j.State == state })
}

// read decodes what is found at a path, as soon as it is found.
func (s *system) read(target string, into any) {
	s.t.Helper()
	testenv.Eventually(s.ctx, s.t, "GET "+target, func() error {
		a, err := s.call(http.MethodGet, target, "")
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		return errors.Join(err, json.Unmarshal(a.body, into))
	})
}
