//go:build !linux

package localpg

import (
	"context"
	"path/filepath"
)

// flush writes the new cluster to disk.
func (c cluster) flush(ctx context.Context, fresh string) error {
	return c.runInitdb(ctx, filepath.Dir(fresh), "--sync-only", "--pgdata="+fresh)
}
