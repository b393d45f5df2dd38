package testenv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"sluice/internal/localpg"
)

// StartPostgres runs a server of the caller's own on the cluster in dir, which it makes by copying one that is made once
// for all test processes. It outlives crashes of its processes, not of the machine. The settings are those of
// [localpg.Config].
func StartPostgres(ctx context.Context, dir string, settings map[string]string) (*localpg.Server, error) {
	bins, err := localpg.Find(os.Getenv("SLUICE_PGBIN"))
	if err != nil {
		return nil, err
	}
	from, err := templateCluster(ctx, bins)
	if err != nil {
		return nil, err
	}
	all := map[string]string{"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "200"}
	maps.Copy(all, settings)
	return localpg.Start(ctx, localpg.Config{Dir: dir, BinDir: bins.Dir, Template: from, Settings: all})
}

func templateCluster(ctx context.Context, bins localpg.Binaries) (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("sluice-test-cluster-%d-%d", bins.Version, os.Getuid()), "pgdata")
	if err := os.MkdirAll(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // the server's user passes through
		return "", fmt.Errorf("making a place for the template cluster: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		return dir, localpg.Init(ctx, bins, dir)
	}
	return dir, nil
}
