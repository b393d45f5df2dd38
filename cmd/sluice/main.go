// Command sluice runs Sluice and talks to it.
package main

import (
	"context"
	"fmt"
	"os"

	"sluice/pkg/daemon"
)

func main() {
	ctx, stop := daemon.Signals(context.Background())
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		os.Exit(1)
	}
}
