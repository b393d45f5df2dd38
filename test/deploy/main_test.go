// Package deploy tests what is in deploy/ without Docker: the files are read with the parsers of Docker and Compose, the
// programs are built by the Dockerfile's own commands, and run under nats.conf with the environment of compose.yaml.
package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/testenv"
)

// root is the repository, and scratch a place for what is built.
var root, scratch string

func TestMain(m *testing.M) {
	code, err := prepareAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepareAndRun(m *testing.M) (int, error) {
	var err error
	if root, err = testenv.Root(); err != nil {
		return 0, err
	}
	if scratch, err = os.MkdirTemp("", "sluice-test-deploy-"); err != nil {
		return 0, fmt.Errorf("making a place for what is built: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	defer testenv.Close()
	return m.Run(), nil
}

// deployed is the path of a file in deploy/.
func deployed(name string) string { return filepath.Join(root, "deploy", name) }
