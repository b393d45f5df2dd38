package up

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lockDir makes the data directory this process's own until the lock is released.
func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Postgres may run as another user
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	path := filepath.Join(dir, "sluice.lock")
	lock := flock.New(path)
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	if !locked {
		holder, _ := os.ReadFile(path)
		return nil, fmt.Errorf("the data directory %s is in use by another sluice up (process %s); stop it, or choose another with --data-dir",
			dir, strings.TrimSpace(string(holder)))
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		_ = lock.Unlock()
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	return lock, nil
}
