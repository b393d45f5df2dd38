package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/report"
	"sluice/test/bench/server"
)

// bench is one run of the benchmark.
type bench struct {
	options
	root  string // of the repository
	place string // removed at the end
	files string // where the web server of files listens
	load  report.Load
	out   io.Writer
}

// run measures everything and writes the page.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	b := bench{options: o, out: out}
	if b.load, err = report.LoadNow(); err != nil { // before there is one of ours
		return err
	}
	if b.root, err = repository(ctx); err != nil {
		return err
	}
	var page report.Page
	if b.writesPage() { // looked at first: it would be a pity to learn at the end that it can't be written
		if page, err = report.OpenPage(filepath.Join(b.root, b.page), b.command()); err != nil {
			return err
		}
	}
	remove, err := b.makePlace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := build(ctx, b.root, b.place); err != nil {
		return err
	}
	cases, err := b.makeFiles()
	if err != nil {
		return err
	}
	url, end, err := serveFiles(filepath.Join(b.dir, "files"))
	if err != nil {
		return err
	}
	defer end()
	b.files = url
	r, err := b.describe(ctx)
	if err != nil {
		return err
	}
	markdown, err := b.measureAll(ctx, r, cases)
	if err != nil {
		return err
	}
	b.say("\n%s", markdown)
	if !b.writesPage() {
		return nil
	}
	return page.Put(markdown)
}

// measureAll returns the report, of all that is to be measured.
func (b *bench) measureAll(ctx context.Context, r report.Report, cases []report.Case) (string, error) {
	var compared report.Comparison
	for _, version := range b.versions {
		part, err := b.measureOn(ctx, version, cases, &compared)
		if err != nil {
			return "", fmt.Errorf("on PostgreSQL %d: %w", version, err)
		}
		r.Parts = append(r.Parts, part)
	}
	if b.others {
		compared.Report = r
		return compared.Markdown(), nil
	}
	return r.Markdown(), nil
}

// command is what people call to run this.
func (b *bench) command() string {
	if b.others {
		return "make compare"
	}
	return "make bench"
}

func (b *bench) writesPage() bool { return b.page != "" && !b.waits }

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format, args...) }

// makePlace makes the folder of what is needed during the run only. Postgres's user passes through it.
func (b *bench) makePlace() (remove func() error, err error) {
	if err := os.MkdirAll(filepath.Join(b.dir, "files"), 0o755); err != nil { //nolint:gosec // passable on purpose
		return nil, fmt.Errorf("making %s: %w", b.dir, err)
	}
	if b.place, err = os.MkdirTemp(b.dir, "run-"); err != nil {
		return nil, fmt.Errorf("making a place for the run: %w", err)
	}
	if err := os.Chmod(b.place, 0o711); err != nil { //nolint:gosec // passable on purpose
		return nil, fmt.Errorf("opening the place for the run: %w", err)
	}
	return func() error { return os.RemoveAll(b.place) }, nil
}

// makeFiles has a case for each file, in the order in which they are loaded.
func (b *bench) makeFiles() ([]report.Case, error) {
	var cases []report.Case
	for _, kind := range b.kinds {
		for _, size := range b.sizes {
			f, err := data.Make(filepath.Join(b.dir, "files"), kind, size)
			if err != nil {
				return nil, err
			}
			b.say("%s: %d rows, %d bytes, %s\n", f.Name(), f.Rows, f.Bytes, f.Path)
			cases = append(cases, report.Case{File: f})
		}
	}
	return cases, nil
}

// describe is the report without figures.
func (b *bench) describe(ctx context.Context) (report.Report, error) {
	machine, err := report.ThisMachine(b.place)
	if err != nil {
		return report.Report{}, err
	}
	commit, err := output(ctx, "git", "-C", b.root, "describe", "--always", "--dirty", "--exclude", "*")
	if err != nil {
		commit = "of an unknown commit" // an unpacked archive
	}
	curl, err := output(ctx, "curl", "--version")
	if err != nil {
		return report.Report{}, err
	}
	return report.Report{
		Date: time.Now(), Commit: commit, Go: runtime.Version(), Curl: firstWords(curl, 2), Machine: machine, Load: b.load,
		Rounds: b.rounds, Extra: b.ingester,
	}, nil
}

// measureOn runs a server and Sluice, and loads all files.
func (b *bench) measureOn(
	ctx context.Context, version int, cases []report.Case, compared *report.Comparison,
) (part report.Part, err error) {
	install, err := server.Find(ctx, version, b.dir)
	if err != nil {
		return part, err
	}
	b.say("\nPostgreSQL %d of %s, psql %s\n", install.Version, install.Dir, install.Psql)
	pg, err := server.Start(ctx, install, filepath.Join(b.place, "postgres"))
	if err != nil {
		return part, err
	}
	defer func() { err = errors.Join(err, pg.Stop()) }()
	s, err := startSluice(ctx, b.place, pg.URL, b.ingester)
	if err != nil {
		return part, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	part.Postgres = pg.Version
	if part.Psql, err = output(ctx, pg.Psql, "--version"); err != nil {
		return part, err
	}
	part.Psql = firstWords(part.Psql, 3)
	if part.Settings, err = pg.Settings(ctx); err != nil {
		return part, err
	}
	m := meter{bench: b, pg: pg, ways: []way{psql{pg}, curl{psql{pg}, b.files}, s.loader(b.files, "text"), s.loader(b.files, "infer")}}
	if b.others {
		if m.ways, err = b.otherWays(ctx, pg, s, compared); err != nil {
			return part, err
		}
		if err := m.judge(ctx, compared); err != nil {
			return part, err
		}
	}
	for _, c := range cases {
		measured, err := m.measure(ctx, c.File)
		if err != nil {
			return part, fmt.Errorf("with %s: %w", c.File.Name(), err)
		}
		part.Cases = append(part.Cases, measured)
	}
	return part, nil
}
