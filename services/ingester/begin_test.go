package ingester_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester"
)

// hearing calls heard once, when something is logged under a text.
type hearing struct {
	slog.Handler
	text  string
	heard func()
}

func (h hearing) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == h.text {
		h.heard()
	}
	return h.Handler.Handle(ctx, r)
}

// TestWorkerWaitsForTheQueueAtItsStart holds that an outage just when a worker begins does not end it.
func TestWorkerWaitsForTheQueueAtItsStart(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	wire, proxied := e.proxiedNATS("w1")
	wire.Cut()
	url, rows := served(t)
	job := e.submit(newJob(url))
	e.start("w1", proxied, func(c *ingester.Config, _ *ingester.Parts) {
		c.Log = slog.New(hearing{c.Log.Handler(), "waiting for NATS", sync.OnceFunc(wire.Restore)})
	})
	e.awaitEnd(job, events.StateSucceeded, rows)
}
