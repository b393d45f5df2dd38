// Command sluice-ingester runs one replica of the ingester service.
package main

import (
	"os"

	"sluice/pkg/daemon"
	"sluice/services/ingester"
)

func main() {
	settings := ingester.DefaultSettings()
	os.Exit(daemon.Process{
		Name:  "sluice-ingester",
		Short: "Takes jobs off the queue and loads their files into Postgres",
		Flags: settings.Flags,
		Run:   settings.Run,
	}.Main())
}
