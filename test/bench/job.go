package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/proc"
	"sluice/test/bench/report"
)

// loader loads files as jobs.
type loader struct {
	*sluice
	files string // where they are served
	types string // which the columns get
}

func (s *sluice) loader(files, types string) loader {
	return loader{sluice: s, files: files, types: types}
}

// job is a job as the API shows it.
type job struct {
	ID string `json:"id"`
}

func (l loader) name() string {
	if l.types == "text" {
		return "Sluice"
	}
	return "Sluice, types inferred"
}

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
	if err := l.await(ctx, id); err != nil {
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
	body, err := json.Marshal(map[string]string{"url": l.files + "/" + filepath.Base(f.Path), "table": table, "types": l.types})
	if err != nil {
		return "", fmt.Errorf("asking for a job: %w", err)
	}
	j, err := l.call(ctx, http.MethodPost, "/v1/jobs", body, http.StatusAccepted)
	return j.ID, err
}

// await follows the job's events until it has succeeded.
func (l loader) await(ctx context.Context, id string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-l.ingester.Ended():
			stop(errors.Join(errors.New("the ingester has ended"), l.ingester.Failure()))
		case <-ctx.Done():
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.api+"/v1/jobs/"+id+"/events", http.NoBody)
	if err != nil {
		return fmt.Errorf("following the job: %w", err)
	}
	r.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("following the job: %w", cmp.Or(context.Cause(ctx), err))
	}
	defer func() { _ = answer.Body.Close() }()
	event, lines := "", bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case ok && event == "succeeded":
			return nil
		case ok && (event == "failed" || event == "cancelled"):
			return fmt.Errorf("the job ended: %s", data)
		}
	}
	return fmt.Errorf("following the job, which was last %s: %w", event, cmp.Or(context.Cause(ctx), lines.Err(), io.ErrUnexpectedEOF))
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
