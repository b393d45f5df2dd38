package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"sluice/cmd/sluice/progress"
)

// checkDisk looks for room where sluice up keeps its data, if it has ever run here.
func checkDisk(_ context.Context, p Patient) []Check {
	const name = "disk"
	if p.DataDir == "" {
		return skipped("no folder is named: --data-dir", name)
	}
	if _, err := os.Stat(p.DataDir); errors.Is(err, fs.ErrNotExist) {
		return skipped("sluice up has no data in "+p.DataDir+" (--data-dir)", name)
	}
	free, total, err := space(p.DataDir)
	if err != nil {
		return []Check{failed(name, err, "see that the folder can be read")}
	}
	c := well(name, "%s of %s free for %s", progress.Bytes(free), progress.Bytes(total), p.DataDir)
	return []Check{limited(c, 1-float64(free)/float64(max(total, 1)), "make room, or keep the data elsewhere (--data-dir)")}
}
