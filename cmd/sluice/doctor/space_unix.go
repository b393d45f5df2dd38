//go:build unix

package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// space is how much room a folder's disk has, in bytes.
func space(dir string) (free, total int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("asking for the room of %s: %w", dir, err)
	}
	block := int64(s.Bsize)                                      //nolint:unconvert // of another type elsewhere
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil //nolint:gosec // no disk is that large
}
