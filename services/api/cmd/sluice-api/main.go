// Command sluice-api runs one replica of the API.
package main

import (
	"os"

	"sluice/pkg/daemon"
	"sluice/services/api"
)

func main() {
	settings := api.DefaultSettings()
	os.Exit(daemon.Process{
		Name:  "sluice-api",
		Short: "Takes jobs in over HTTP and tells how they stand",
		Flags: settings.Flags,
		Run:   settings.Run,
	}.Main())
}
