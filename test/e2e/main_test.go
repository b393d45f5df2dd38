// Package e2e tests Sluice as its users meet it: the built command, over HTTP, with the data looked at in Postgres.
package e2e

import (
	"path/filepath"
	"testing"

	"sluice/internal/testenv"
)

// Paths of the programs that are tested.
var command, apiCommand, statusCommand, ingesterCommand string

func TestMain(m *testing.M) {
	testenv.MainIn(m, func(dir string) error {
		command, apiCommand = filepath.Join(dir, "sluice"), filepath.Join(dir, "sluice-api")
		statusCommand, ingesterCommand = filepath.Join(dir, "sluice-status"), filepath.Join(dir, "sluice-ingester")
		return testenv.Build(dir, "./cmd/sluice", "./services/api/cmd/sluice-api", "./services/status/cmd/sluice-status",
			"./services/ingester/cmd/sluice-ingester")
	})
}
