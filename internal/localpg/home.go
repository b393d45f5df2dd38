package localpg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// openPlace is where root puts a cluster whose directory the server's user can't reach.
	openPlace = "/var/lib/sluice"
	// signpost is the file in that directory that says where. It moves with the directory and is removed with it, so
	// that a cluster is found by whom it belongs to and by nobody else.
	signpost = "elsewhere"
)

// home is where a cluster lives and who runs it.
type home struct {
	dir       string
	account   *account
	displaced bool // not where it was asked for
}

func (h home) data() string { return filepath.Join(h.dir, "pgdata") }
func (h home) lock() string { return filepath.Join(h.dir, "lock") }
func (h home) log() string  { return filepath.Join(h.dir, "postgres.log") }
func (h home) run() string  { return filepath.Join(h.dir, "run") }

// locate creates dir and returns the home of its cluster: dir itself, unless the server's user can't get there.
// A cluster that exists stays where it is, whatever has become of the directories above it, and keeps its owner.
func locate(dir string) (home, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // the server's user passes through
		return home{}, fmt.Errorf("creating the Postgres directory: %w", err)
	}
	dir, err := resolve(dir)
	if err != nil {
		return home{}, fmt.Errorf("resolving the Postgres directory: %w", err)
	}
	account, err := serverAccount()
	if err != nil {
		return home{}, err
	}
	here := home{dir: dir, account: account}
	if account == nil {
		return here, nil
	}
	if there, err := here.follow(); err != nil || there.displaced {
		return there, err
	}
	if h, err := here.owned(); err != nil || h.account != account {
		return h, err
	}
	if err := passable(dir); err != nil {
		return home{}, err
	}
	if obstacle, err := account.closed(dir); err != nil || obstacle == "" {
		return here, err
	}
	return here.displace()
}

// owned returns the home with the owner of its cluster, if there is one already, as who runs it.
func (h home) owned() (home, error) {
	info, err := os.Stat(h.data())
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return home{}, fmt.Errorf("looking for a cluster: %w", err)
	}
	h.account, err = ownerOf(info)
	return h, err
}

// follow returns the home that the signpost points to, or h if there is none.
func (h home) follow() (home, error) {
	path := filepath.Join(h.dir, signpost)
	place, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return home{}, fmt.Errorf("looking for a cluster: %w", err)
	}
	there := home{dir: strings.TrimSpace(string(place)), account: h.account, displaced: true}
	if _, err := os.Stat(there.dir); err != nil {
		return home{}, fmt.Errorf("the cluster of %s was kept in %s, which can't be found: bring it back, or remove %s to begin anew: %w",
			h.dir, there.dir, path, err)
	}
	return there.owned()
}

// displace makes a home in the open place, passable even under a strict umask, and puts the signpost up.
func (h home) displace() (home, error) {
	if err := os.MkdirAll(openPlace, 0o711); err != nil { //nolint:gosec // the server's user passes through
		return home{}, fmt.Errorf("creating a directory that user %s can reach: %w", h.account.name, err)
	}
	dir, err := os.MkdirTemp(openPlace, "postgres-")
	if err != nil {
		return home{}, fmt.Errorf("creating a directory that user %s can reach: %w", h.account.name, err)
	}
	for _, d := range []string{openPlace, dir} {
		if err := passable(d); err != nil {
			return home{}, err
		}
	}
	there := home{dir: dir, account: h.account, displaced: true}
	if err := there.reachable(); err != nil {
		return home{}, err
	}
	path := filepath.Join(h.dir, signpost)
	if err := os.WriteFile(path+".new", []byte(dir+"\n"), 0o600); err != nil {
		return home{}, fmt.Errorf("noting where the cluster is: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return home{}, fmt.Errorf("noting where the cluster is: %w", err)
	}
	return there, nil
}

// resolve makes two names of one directory the same.
func resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// reachable says which directory keeps the server's user from its data.
func (h home) reachable() error {
	obstacle, err := h.account.closed(h.dir)
	if err != nil {
		return fmt.Errorf("looking whether user %s reaches %s: %w", h.account.name, h.dir, err)
	}
	if obstacle != "" {
		return fmt.Errorf("user %s, who runs Postgres, can't pass %s to reach %s: open it with chmod o+x", h.account.name, obstacle, h.dir)
	}
	return nil
}

// passable lets others through dir without letting them list it.
func passable(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("opening a directory for the server's user: %w", err)
	}
	if info.Mode()&0o001 != 0 {
		return nil
	}
	if err := os.Chmod(dir, info.Mode().Perm()|0o001); err != nil {
		return fmt.Errorf("opening a directory for the server's user: %w", err)
	}
	return nil
}
