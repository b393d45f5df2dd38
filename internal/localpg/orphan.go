package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lookAgain is the interval for watching a process that isn't our child, whose end no portable call waits for.
const lookAgain = 20 * time.Millisecond

// endOrphan makes way for a new server: one that outlived its parent is shut down and waited for within ctx. The caller
// holds the lock, so no living parent is robbed. It also removes a postmaster.pid that Postgres itself would stumble over:
// one cut short, or one whose number now belongs to another program.
func endOrphan(ctx context.Context, data string, log *slog.Logger) error {
	file := filepath.Join(data, "postmaster.pid")
	pid, err := readPID(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil // Postgres removes a dead server's file itself, and looks for left-over children first
	}
	if err != nil && !errors.Is(err, errNoPID) {
		return fmt.Errorf("reading postmaster.pid: %w", err)
	}
	if err != nil || !serves(pid, data) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing a stale postmaster.pid: %w", err)
		}
		return nil
	}
	log.Warn("a Postgres server has outlived its parent, shutting it down", "pid", pid, "dir", data)
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("shutting down the Postgres server %d that has outlived its parent: %w", pid, err)
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for serves(pid, data) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the end of the Postgres server %d that has outlived its parent: %w", pid, context.Cause(ctx))
		}
	}
	return nil
}

// errNoPID means that a postmaster.pid was cut short, by a power failure say.
var errNoPID = errors.New("it holds no process number")

// readPID returns the process number in the first line of a postmaster.pid.
func readPID(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 0 {
		return 0, errNoPID
	}
	return pid, nil
}
