package main

import (
	"context"
	"os/exec"
	"strings"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/proc"
	"sluice/test/bench/report"
	"sluice/test/bench/server"
)

// psql copies the file on disk into a table that is there.
type psql struct{ pg *server.Server }

func (psql) name() string { return `psql \copy` }

func (p psql) prepare(ctx context.Context, f data.File, table string) error {
	return p.pg.CreateTable(ctx, table, f.Columns)
}

func (p psql) load(ctx context.Context, f data.File, table string) (report.Figures, error) {
	cmd := p.command(table, "'"+strings.ReplaceAll(f.Path, "'", "''")+"'")
	begun := time.Now()
	child, err := proc.Start(cmd)
	if err != nil {
		return report.Figures{}, err
	}
	cpu, peak, err := child.Finish(ctx)
	return report.Figures{Wall: time.Since(begun), Client: cpu, Peak: peak}, err
}

// command runs \copy. No start-up file of the user's has a say in it.
func (p psql) command(table, from string) *exec.Cmd {
	cmd := exec.Command(p.pg.Psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname="+p.pg.URL,
		"--command=\\copy "+table+" from "+from+" with (format csv, header)")
	cmd.Env = []string{"PGCLIENTENCODING=UTF8"}
	return cmd
}
