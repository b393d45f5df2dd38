package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/test/bench/data"
	"sluice/test/bench/nasty"
	"sluice/test/bench/proc"
	"sluice/test/bench/report"
	"sluice/test/bench/server"
)

// node is a loader as many have written one.
//
//go:embed node
var node embed.FS

// other is a loader of somebody else's, which is a program. It is told no more than what its manual says about CSV files with a
// header.
type other struct {
	title   string
	pg      *server.Server
	creates bool // whether it makes the table itself
	command func(f data.File, table string) *exec.Cmd
}

func (o other) name() string { return o.title }

func (o other) prepare(ctx context.Context, f data.File, table string) error {
	if o.creates {
		return nil
	}
	return o.pg.CreateTable(ctx, table, f.Columns)
}

func (o other) load(ctx context.Context, f data.File, table string) (report.Figures, error) {
	begun := time.Now()
	child, err := proc.Start(o.command(f, table))
	if err != nil {
		return report.Figures{}, err
	}
	cpu, peak, err := child.Finish(ctx)
	return report.Figures{Wall: time.Since(begun), Client: cpu, Peak: peak}, err
}

// otherWays are Sluice and the loaders that it is compared with, by psql as the measure of all.
func (b *bench) otherWays(ctx context.Context, pg *server.Server, s *sluice, compared *report.Comparison) ([]way, error) {
	config, err := pgx.ParseConfig(pg.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the server's URL: %w", err)
	}
	script, err := b.installNode(ctx)
	if err != nil {
		return nil, err
	}
	for _, program := range [][]string{{"pgloader", "--version"}, {"ogr2ogr", "--version"}, {"node", "--version"}} {
		said, err := output(ctx, program[0], program[1:]...)
		if err != nil {
			return nil, fmt.Errorf("%w; install it: on Debian, apt-get install pgloader gdal-bin nodejs npm", err)
		}
		first, _, _ := strings.Cut(said, "\n")
		if program[0] == "node" {
			first = "Node " + first
		}
		compared.Loaders = append(compared.Loaders, first)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8"}
	with := func(program string, args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env, cmd.Dir = env, b.place
		return cmd
	}
	return []way{
		psql{pg}, s.loader(b.files, "text"),
		other{"ogr2ogr", pg, true, func(f data.File, table string) *exec.Cmd {
			return with("ogr2ogr", "-f", "PostgreSQL", fmt.Sprintf("PG:host='%s' port=%d user='%s' password='%s' dbname='%s' active_schema=public",
				config.Host, config.Port, config.User, config.Password, config.Database), f.Path, "-nln", table, "--config", "PG_USE_COPY", "YES")
		}},
		other{"pgloader", pg, false, func(f data.File, table string) *exec.Cmd {
			target := fmt.Sprintf("pgsql://%s:%s@unix:%s:%d/%s?tablename=public.%s", url.PathEscape(config.User), url.PathEscape(config.Password),
				config.Host, config.Port, config.Database, table)
			return with("pgloader", "--quiet", "--type", "csv", "--field", strings.Join(f.Columns, ","), "--with", "skip header = 1",
				"--with", "fields terminated by ','", "--with", `fields optionally enclosed by '"'`, "--with", "fields escaped by double-quote",
				f.Path, target)
		}},
		other{"csv-parse on Node", pg, true, func(f data.File, table string) *exec.Cmd {
			cmd := with("node", script, b.files+"/"+filepath.Base(f.Path), table)
			cmd.Env = append(cmd.Env, "PGHOST="+config.Host, "PGPORT="+strconv.Itoa(int(config.Port)), "PGUSER="+config.User,
				"PGPASSWORD="+config.Password, "PGDATABASE="+config.Database, "PGOPTIONS=-csearch_path=public")
			return cmd
		}},
	}, nil
}

// installNode puts the loader for Node and its packages into the folder for such things.
func (b *bench) installNode(ctx context.Context) (script string, err error) {
	home := filepath.Join(b.dir, "node")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("making a place for Node's packages: %w", err)
	}
	for _, name := range []string{"package.json", "load.mjs"} {
		text, err := fs.ReadFile(node, "node/"+name)
		if err == nil {
			err = os.WriteFile(filepath.Join(home, name), text, 0o600)
		}
		if err != nil {
			return "", fmt.Errorf("writing the loader for Node: %w", err)
		}
	}
	install := exec.CommandContext(ctx, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", home)
	if said, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing the packages for Node: %w\n%s", err, said)
	}
	return filepath.Join(home, "load.mjs"), nil
}

// judge has each loader load the nasty files, and says what has become of them.
func (m *meter) judge(ctx context.Context, compared *report.Comparison) error {
	for n, file := range nasty.Files() {
		path := filepath.Join(m.dir, "files", fmt.Sprintf("nasty-%d.csv", n+1))
		if err := os.WriteFile(path, []byte(file.Text), 0o600); err != nil {
			return fmt.Errorf("writing a nasty file: %w", err)
		}
		f := data.File{Kind: "nasty", Path: path, Columns: file.Columns}
		if f.Columns == nil {
			f.Columns = neutralNames(file)
		}
		var verdicts []string
		for _, w := range m.ways {
			verdict, err := m.judgeOnce(ctx, w, f, file)
			if err != nil {
				return fmt.Errorf("%s with %s: %w", w.name(), file.Name, err)
			}
			m.say("%-40s  %-18s  %s\n", file.Name, w.name(), verdict)
			verdicts = append(verdicts, verdict)
		}
		compared.Files, compared.Verdicts = append(compared.Files, file.Name), append(compared.Verdicts, verdicts)
	}
	return nil
}

// neutralNames are those of the table for loaders that need one, where the file's own could not be.
func neutralNames(file nasty.File) []string {
	header, _, _ := strings.Cut(file.Text, "\n")
	names := []string{"n"}
	for i := range strings.Count(header, ",") {
		names = append(names, fmt.Sprintf("column_%d", i+2))
	}
	return names
}

func (m *meter) judgeOnce(ctx context.Context, w way, f data.File, file nasty.File) (verdict string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it takes too long"))
	defer cancel()
	m.runs++
	table := fmt.Sprintf("nasty_%d", m.runs)
	if err := w.prepare(ctx, f, table); err != nil {
		return "", err
	}
	_, failure := w.load(ctx, f, table)
	columns, rows, err := m.pg.Rows(ctx, table)
	if err != nil {
		return "", err
	}
	made := nasty.Table{Columns: columns}
	for _, r := range rows {
		made.Rows = append(made.Rows, r)
	}
	return file.Judge(failure != nil, made), m.pg.Drop(ctx, table)
}
