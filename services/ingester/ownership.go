package ingester

import (
	"context"
	"errors"
	"sync"

	"sluice/pkg/bus"
)

// ownership is what an attempt knows of its job's register. The register says whom the job belongs to; it is read at
// each heartbeat and watched all the time, so that a cancel reaches a worker at once.
type ownership struct {
	stop context.CancelCauseFunc // ends the loading

	mu   sync.Mutex
	last bus.Register // as this attempt wrote it last
}

func (o *ownership) register() bus.Register {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

func (o *ownership) wrote(r bus.Register) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = r
}

// seen stops the loading if r, which may come late, tells that the job was cancelled or is another worker's.
func (o *ownership) seen(r bus.Register) {
	mine := o.register()
	switch {
	case !mine.Written(): // not claimed yet; the claim reads the register itself
	case !r.Written():
		o.stop(errOwnershipLost)
	case !r.After(mine):
	case !sameClaim(r, mine):
		o.stop(errOwnershipLost)
	case r.State == bus.Cancelling:
		o.stop(errCancelRequested)
	case r.State != bus.Claimed:
		o.stop(errOwnershipLost)
	}
}

// sameClaim reports whether a register is still of the claim that mine is of.
func sameClaim(r, mine bus.Register) bool {
	return r.Run == mine.Run && r.Claim == mine.Claim && r.Worker == mine.Worker
}

// checkRegister catches what the watch may have missed. While the register cannot be read, the attempt goes on.
func (a *attempt) checkRegister(ctx context.Context) {
	if r, err := a.parts.Bus.Registers.Get(ctx, a.job.ID); err == nil {
		a.owner.seen(r)
	}
}

// confirmOwner returns nil while the register is as this attempt wrote it, errCancelRequested if the job is to be
// cancelled, and otherwise errOwnershipLost or the error of reading it.
func (a *attempt) confirmOwner(ctx context.Context) error {
	ctx, done := settle(ctx)
	defer done()
	r, err := a.parts.Bus.Registers.Get(ctx, a.job.ID)
	mine := a.owner.register()
	switch {
	case err != nil:
		return err
	case r.State == bus.Cancelling && sameClaim(r, mine):
		return errCancelRequested
	case !r.Written() || r.After(mine):
		return errOwnershipLost
	}
	return nil
}

// takeCancel makes the cancel of the job this attempt's own, so that nobody else's write to the register goes unnoticed
// and a release finds it to be one of a job that is to be cancelled.
func (a *attempt) takeCancel(ctx context.Context) error {
	ctx, done := settle(ctx)
	defer done()
	for {
		r, err := a.parts.Bus.Registers.Get(ctx, a.job.ID)
		if err != nil {
			return err
		}
		if r.State != bus.Cancelling || !sameClaim(r, a.owner.register()) {
			return errOwnershipLost
		}
		mine, err := a.parts.Bus.Registers.Replace(ctx, a.job.ID, r, r)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		if err == nil {
			a.owner.wrote(mine)
		}
		return err
	}
}

// whyLost says why a write to the register lost: errCancelRequested, errOwnershipLost or the error of reading it.
func (a *attempt) whyLost(ctx context.Context) error {
	if err := a.confirmOwner(ctx); err != nil {
		return err
	}
	return errOwnershipLost
}
