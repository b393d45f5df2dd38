// Command sluice runs Sluice and talks to it.
package main

import (
	"context"
	"os"

	"sluice/cmd/sluice/cli"
	"sluice/pkg/daemon"
)

func main() {
	ctx, stop := daemon.Signals(context.Background())
	code := cli.Main(ctx, newCommand(), os.Stderr)
	stop()
	os.Exit(code)
}
