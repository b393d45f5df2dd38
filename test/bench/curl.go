package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/proc"
	"sluice/test/bench/report"
)

// curl fetches the file and pipes it into psql.
type curl struct {
	psql  psql
	files string // where they are served
}

func (curl) name() string { return "curl | psql" }

func (c curl) prepare(ctx context.Context, f data.File, table string) error {
	return c.psql.prepare(ctx, f, table)
}

func (c curl) load(ctx context.Context, f data.File, table string) (report.Figures, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return report.Figures{}, fmt.Errorf("making a pipe: %w", err)
	}
	fetch := exec.Command("curl", "--disable", "--silent", "--show-error", "--fail", c.files+"/"+filepath.Base(f.Path))
	fetch.Env = []string{"LC_ALL=C"} // and no proxy
	fetch.Stdout = in
	copying := c.psql.command(table, "stdin")
	copying.Stdin = out
	begun := time.Now()
	fetching, fetchErr := proc.Start(fetch)
	loading, loadErr := proc.Start(copying)
	// Their copies are their own; with ours open, neither would learn that the other has ended.
	if err := errors.Join(fetchErr, loadErr, in.Close(), out.Close()); err != nil {
		return report.Figures{}, err // the one that was started ends as its pipe does
	}
	fetched := make(chan used, 1)
	go func() { fetched <- finish(ctx, fetching) }()
	sink := finish(ctx, loading)
	source := <-fetched
	figures := report.Figures{Wall: time.Since(begun), Client: source.cpu + sink.cpu, Peak: source.peak + sink.peak}
	return figures, errors.Join(source.err, sink.err)
}

// used is what a process has used.
type used struct {
	cpu  time.Duration
	peak int64
	err  error
}

func finish(ctx context.Context, child *proc.Child) (u used) {
	u.cpu, u.peak, u.err = child.Finish(ctx)
	return u
}
