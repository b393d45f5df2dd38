// Package e2e tests Sluice as its users meet it: the built command, over HTTP, with the data looked at in Postgres.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sluice/internal/testenv"
)

// Paths of the programs that are tested.
var command, apiCommand, statusCommand, ingesterCommand string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	root, err := testenv.Root()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "sluice-test-bin-")
	if err != nil {
		return 0, fmt.Errorf("making a place for the command: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	command, apiCommand = filepath.Join(dir, "sluice"), filepath.Join(dir, "sluice-api")
	statusCommand, ingesterCommand = filepath.Join(dir, "sluice-status"), filepath.Join(dir, "sluice-ingester")
	build := exec.Command("go", "build", "-o", dir, "./cmd/sluice", "./services/api/cmd/sluice-api",
		"./services/status/cmd/sluice-status", "./services/ingester/cmd/sluice-ingester")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the command: %w\n%s", err, output)
	}
	defer testenv.Close()
	return m.Run(), nil
}
