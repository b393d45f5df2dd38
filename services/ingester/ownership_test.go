package ingester

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// TestWatchStopsTheLoading tells a worker of writes to the register of its job.
func TestWatchStopsTheLoading(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	registers := n.Bus("test").Registers
	replace := func(id string, was, next bus.Register) bus.Register {
		t.Helper()
		written, err := registers.Replace(ctx, id, was, next)
		if err != nil {
			t.Fatal(err)
		}
		return written
	}
	claimed := bus.Register{State: bus.Claimed, Run: 1, Claim: 2, Worker: "me", Attempt: 1}
	for name, tt := range map[string]struct {
		change func(*bus.Register)
		want   error
	}{
		"spent":                           {func(r *bus.Register) { r.Attempt, r.Opened = 2, true }, nil},
		"cancelling":                      {func(r *bus.Register) { r.State = bus.Cancelling }, errCancelRequested},
		"cancelled":                       {func(r *bus.Register) { r.State = bus.Cancelled }, errOwnershipLost},
		"done by another":                 {func(r *bus.Register) { r.State = bus.Done }, errOwnershipLost},
		"released":                        {func(r *bus.Register) { r.State = bus.Released }, errOwnershipLost},
		"claimed by another":              {func(r *bus.Register) { r.Worker, r.Claim = "other", 3 }, errOwnershipLost},
		"claimed by one of the same name": {func(r *bus.Register) { r.Claim = 3 }, errOwnershipLost},
		"another's cancel":                {func(r *bus.Register) { r.State, r.Worker, r.Claim = bus.Cancelling, "other", 3 }, errOwnershipLost},
		"newer run":                       {func(r *bus.Register) { r.Run, r.Claim = 2, 3 }, errOwnershipLost},
	} {
		t.Run(name, func(t *testing.T) {
			id := uuid.NewString()
			before := replace(id, bus.Register{}, bus.Register{State: bus.Released, Run: 1, Claim: 1, Worker: "other"})
			mine := replace(id, before, claimed)
			next := claimed
			tt.change(&next)
			next = replace(id, mine, next)

			loading, stop := context.WithCancelCause(ctx)
			defer stop(nil)
			o := ownership{stop: stop}
			o.seen(next)
			if loading.Err() != nil {
				t.Error("stopped before the claim was written")
			}
			o.wrote(mine)
			o.seen(before)
			o.seen(mine)
			if loading.Err() != nil {
				t.Error("stopped by an earlier write")
			}
			o.seen(next)
			if got := context.Cause(loading); !errors.Is(got, tt.want) {
				t.Errorf("stopped by %v, want %v", got, tt.want)
			}
		})
	}
}
