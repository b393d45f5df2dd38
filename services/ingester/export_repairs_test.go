package ingester

import (
	"context"
	"log/slog"
)

// Reconciler returns what a worker does now and then about stranded runs.
func Reconciler(p Parts, r Repairs, log *slog.Logger) (pass func(context.Context) error) {
	teller := teller{events: p.Bus.Events, database: p.Database, by: "ingester/reconciler"}
	return (&reconciler{parts: p, teller: teller, patience: r.Patience, log: log, stranded: newUnchanged[stranded]()}).pass
}

// Sweeper returns what a worker does now and then about what is left behind.
func Sweeper(p Parts, r Repairs, log *slog.Logger) (pass func(context.Context) error) {
	return newSweeper(p, r, log).pass
}
