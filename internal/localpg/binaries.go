package localpg

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
)

// Binaries is one installed PostgreSQL.
type Binaries struct {
	Dir     string // absolute; holds postgres and initdb
	Version int    // major version, such as 15
}

// Postgres is the path of the server.
func (b Binaries) Postgres() string { return filepath.Join(b.Dir, "postgres") }

// Initdb is the path of the program that makes a cluster.
func (b Binaries) Initdb() string { return filepath.Join(b.Dir, "initdb") }

// Find returns the PostgreSQL in dir, or if dir is empty the first one of: PATH, Debian's directories (newest first),
// Homebrew's, Postgres.app's. The error wraps ErrNoBinaries if there is none.
func Find(dir string) (Binaries, error) {
	found, err := findAll(dir, usualPlaces())
	if err != nil {
		return Binaries{}, err
	}
	return found[0], nil
}

// usualPlaces are patterns of directories, in order of preference.
func usualPlaces() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

// findAll returns every installation found, best first and at least one, or an error.
func findAll(dir string, places []string) ([]Binaries, error) {
	if dir != "" {
		b, err := inspect(behind(filepath.Join(dir, "postgres")))
		if err != nil {
			return nil, fmt.Errorf("looking for PostgreSQL in %s: %w: %w", dir, err, ErrNoBinaries)
		}
		return []Binaries{b}, nil
	}
	found := onPath()
	for _, pattern := range places {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("looking for PostgreSQL in %s: %w", pattern, err)
		}
		found = append(found, newestFirst(dirs)...)
	}
	if len(found) == 0 {
		return nil, ErrNoBinaries
	}
	return found, nil
}

// pick returns the installation that can run data of major version want (0: any).
func pick(found []Binaries, want int, data string) (Binaries, error) {
	for _, b := range found {
		if want == 0 || b.Version == want {
			return b, nil
		}
	}
	return Binaries{}, &VersionError{Dir: data, Data: want, BinDir: found[0].Dir, Binaries: found[0].Version}
}

// onPath looks behind both programs' names, as only one of them may lead to the directory that has both.
func onPath() []Binaries {
	for _, name := range []string{"postgres", "initdb"} {
		program, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if b, err := inspect(behind(program)); err == nil {
			return []Binaries{b}
		}
	}
	return nil
}

func newestFirst(dirs []string) []Binaries {
	var found []Binaries
	for _, dir := range dirs {
		if b, err := inspect(dir); err == nil {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b Binaries) int { return cmp.Compare(b.Version, a.Version) })
	return found
}
