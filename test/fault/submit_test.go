package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"sluice/internal/testenv"
)

// accepted is a job that was answered with 202: it must end, and as one of the outcomes.
type accepted struct {
	id       string
	table    string
	file     *file
	outcomes []string // succeeded, failed or cancelled
	shared   bool     // whether others load into the same table, so that its rows are not only this job's
}

// errUnavailable says that a job was refused for now.
var errUnavailable = errors.New("refused with 503")

// try asks once for a job. What is accepted is remembered.
func (s *system) try(from *source, table string, fields map[string]any, headers ...string) (*accepted, error) {
	all := map[string]any{"url": from.url}
	if table != "" { // it is derived otherwise
		all["table"] = table
	}
	maps.Copy(all, fields)
	body, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.tried[table] = from.file
	s.mu.Unlock()
	a, err := s.call(http.MethodPost, "/v1/jobs", string(body), headers...)
	if err != nil {
		return nil, err
	}
	if a.status == http.StatusServiceUnavailable {
		return nil, errUnavailable
	}
	if a.status != http.StatusAccepted {
		return nil, fmt.Errorf("answered %d %s", a.status, a.body)
	}
	var j job
	if err := json.Unmarshal(a.body, &j); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.byID[j.ID]; known != nil {
		return known, nil
	}
	is := &accepted{id: j.ID, table: table, file: from.file, outcomes: []string{"succeeded"}}
	s.remember(is)
	return is, nil
}

func (s *system) remember(a *accepted) {
	s.jobs = append(s.jobs, a)
	s.byID[a.id] = a
}

// submit creates a job, as a client does that asks again under the same key where it was refused for now.
func (s *system) submit(from *source, table string, fields map[string]any) *accepted {
	s.t.Helper()
	var a *accepted
	s.mu.Lock()
	s.keys++
	key := "Idempotency-Key: " + strconv.Itoa(s.keys)
	s.mu.Unlock()
	testenv.Eventually(s.ctx, s.t, "a job for table "+table, func() error {
		var err error
		if a, err = s.try(from, table, fields, key); err != nil && !errors.Is(err, errUnavailable) {
			s.t.Fatalf("creating a job for table %s: %v", table, err)
		}
		return err
	})
	return a
}
