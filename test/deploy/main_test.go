// Package deploy tests what is in deploy/ without Docker: the files are read with the parsers of Docker and Compose, the
// programs are built by the Dockerfile's own commands, and run under nats.conf with the environment of compose.yaml.
package deploy

import (
	"path/filepath"
	"testing"

	"sluice/internal/testenv"
)

// root is the repository, and scratch a place for what is built.
var root, scratch string

func TestMain(m *testing.M) {
	testenv.MainIn(m, func(dir string) (err error) {
		scratch = dir
		root, err = testenv.Root()
		return err
	})
}

// deployed is the path of a file in deploy/.
func deployed(name string) string { return filepath.Join(root, "deploy", name) }
