// Command sluice-status runs one replica of the status service.
package main

import (
	"os"

	"sluice/pkg/daemon"
	"sluice/services/status"
)

func main() {
	settings := status.DefaultSettings()
	os.Exit(daemon.Process{
		Name:  "sluice-status",
		Short: "Folds events into the status of each job and answers questions about it",
		Flags: settings.Flags,
		Run:   settings.Run,
	}.Main())
}
