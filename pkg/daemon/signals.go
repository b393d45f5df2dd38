package daemon

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signals returns a context that ends with the first SIGINT, SIGTERM or SIGHUP, as from a terminal that was closed. A
// second one ends the process at once. The caller calls stop when it no longer wants signals.
func Signals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		cancel()
		if _, open := <-signals; open {
			os.Exit(130) //nolint:forbidigo // at once; 128 + SIGINT, as shells say it
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}
