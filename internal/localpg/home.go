package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// openPlace is where root puts a cluster whose directory the server's user can't reach.
const openPlace = "/var/lib/sluice"

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
	there := home{dir: substitute(dir), account: account, displaced: true}
	if account == nil {
		return here, nil
	}
	for _, h := range []home{here, there} {
		info, err := os.Stat(h.data())
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return home{}, fmt.Errorf("looking for a cluster: %w", err)
		}
		h.account, err = ownerOf(info)
		return h, err
	}
	if err := passable(dir); err != nil {
		return home{}, err
	}
	if obstacle, err := account.closed(dir); err != nil || obstacle == "" {
		return here, err
	}
	return there, there.create()
}

// resolve makes two names of one directory the same.
func resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

func substitute(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(openPlace, hex.EncodeToString(sum[:6]))
}

// create makes the substitute home, passable even under a strict umask.
func (h home) create() error {
	for _, dir := range []string{openPlace, h.dir} {
		if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // the server's user passes through
			return fmt.Errorf("creating a directory that user %s can reach: %w", h.account.name, err)
		}
		if err := passable(dir); err != nil {
			return err
		}
	}
	return h.reachable()
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
