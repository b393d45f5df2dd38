package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/proc"
	"sluice/test/bench/report"
)

// loader loads files as jobs.
type loader struct {
	*sluice
	files string // where they are served
}

func (s *sluice) loader(files string) loader { return loader{sluice: s, files: files} }

// job is a job as the API shows it.
type job struct {
	ID         string          `json:"id"`
	State      string          `json:"state"`
	FinishedAt *time.Time      `json:"finished_at"`
	Error      json.RawMessage `json:"error"`
}

func (loader) name() string { return "Sluice" }

// prepare makes no table: Sluice does that itself.
func (l loader) prepare(context.Context, data.File, string) error {
	return proc.ResetPeak(l.ingester.PID())
}

func (l loader) load(ctx context.Context, f data.File, table string) (figures report.Figures, err error) {
	client, rest, err := l.cpu()
	if err != nil {
		return figures, err
	}
	begun := time.Now()
	id, err := l.post(ctx, f, table)
	if err != nil {
		return figures, err
	}
	if err := l.await(ctx, id, begun); err != nil {
		return figures, err
	}
	figures.Wall = time.Since(begun)
	if figures.Client, figures.Rest, err = l.cpu(); err != nil {
		return figures, err
	}
	figures.Client, figures.Rest = figures.Client-client, figures.Rest-rest
	figures.Peak, err = proc.PeakMemory(l.ingester.PID())
	return figures, err
}

// cpu is what the ingester and the rest of Sluice have computed so far.
func (l loader) cpu() (ingester, rest time.Duration, err error) {
	ingester, err = proc.CPU(l.ingester.PID())
	if err != nil {
		return 0, 0, err
	}
	rest, err = proc.CPU(l.rest.PID())
	return ingester, rest, err
}

func (l loader) post(ctx context.Context, f data.File, table string) (id string, err error) {
	body, err := json.Marshal(map[string]string{"url": l.files + "/" + filepath.Base(f.Path), "table": table})
	if err != nil {
		return "", fmt.Errorf("asking for a job: %w", err)
	}
	j, err := l.call(ctx, http.MethodPost, "/v1/jobs", body, http.StatusAccepted)
	return j.ID, err
}

// await asks until the job has succeeded.
func (l loader) await(ctx context.Context, id string, begun time.Time) error {
	for {
		j, err := l.call(ctx, http.MethodGet, "/v1/jobs/"+id, nil, http.StatusOK)
		switch {
		case err != nil:
			return err
		case j.State == "succeeded":
			return nil
		case j.FinishedAt != nil:
			return fmt.Errorf("the job ended as %s: %s", j.State, j.Error)
		}
		select {
		case <-time.After(pause(time.Since(begun))):
		case <-l.ingester.Ended():
			return errors.Join(errors.New("the ingester has ended"), l.ingester.Failure())
		case <-ctx.Done():
			return fmt.Errorf("waiting for the job, which is %s: %w", j.State, context.Cause(ctx))
		}
	}
}

// pause is how long to wait before the job is asked for again: a small part of what it has taken, so that asking makes the
// time hardly longer than it is; but not too small a one, as an answer takes Sluice a millisecond of a core.
func pause(waited time.Duration) time.Duration {
	return min(max(waited/50, 2*time.Millisecond), 50*time.Millisecond)
}

func (l loader) call(ctx context.Context, method, path string, body []byte, wanted int) (j job, err error) {
	r, err := http.NewRequestWithContext(ctx, method, l.api+path, bytes.NewReader(body))
	if err != nil {
		return j, fmt.Errorf("asking the API: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return j, fmt.Errorf("asking the API: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return j, fmt.Errorf("asking the API: %w", err)
	}
	if answer.StatusCode != wanted {
		return j, fmt.Errorf("%s %s: %s %s", method, path, answer.Status, text)
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return j, fmt.Errorf("reading the API's answer %s: %w", text, err)
	}
	return j, nil
}
