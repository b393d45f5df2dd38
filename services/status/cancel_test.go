package status

import (
	"errors"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestCancelDependsOnTheRegister holds what a cancel does in each state that a register can be in.
func TestCancelDependsOnTheRegister(t *testing.T) {
	t.Parallel()
	claimed := bus.Register{State: bus.Claimed, Run: 1, Claim: 3, Worker: "w", Attempt: 2, Opened: true}
	with := func(r bus.Register, state bus.Ownership, opened bool) *bus.Register {
		r.State, r.Opened = state, opened
		return &r
	}
	done := func(outcome events.State) *bus.Register {
		r := claimed
		r.State, r.Outcome = bus.Done, outcome
		return &r
	}
	for name, tt := range map[string]struct {
		register *bus.Register
		started  bool
		want     bus.Ownership // that the register has then
		answer   events.State
		code     string
	}{
		"never claimed":              {nil, false, bus.Cancelled, events.StateCancelled, ""},
		"claimed, register lost":     {nil, true, bus.Cancelling, events.StateCancelling, ""},
		"claimed, not opened yet":    {with(claimed, bus.Claimed, false), true, bus.Cancelling, events.StateCancelling, ""},
		"running":                    {with(claimed, bus.Claimed, true), true, bus.Cancelling, events.StateCancelling, ""},
		"retrying":                   {with(claimed, bus.Released, true), true, bus.Cancelling, events.StateCancelling, ""},
		"released before it opened":  {with(claimed, bus.Released, false), true, bus.Cancelled, events.StateCancelled, ""},
		"asked before":               {with(claimed, bus.Cancelling, true), true, bus.Cancelling, events.StateCancelling, ""},
		"cancelled, not reported":    {with(claimed, bus.Cancelled, false), false, bus.Cancelled, events.StateCancelled, ""},
		"succeeded, not folded yet":  {done(events.StateSucceeded), true, bus.Done, "", events.QueryFinished},
		"failed, not folded yet":     {done(events.StateFailed), true, bus.Done, "", events.QueryFinished},
		"cancelled by its worker":    {done(events.StateCancelled), true, bus.Done, events.StateRunning, ""},
		"a run that is not told yet": {&bus.Register{State: bus.Claimed, Run: 2, Claim: 9}, true, bus.Claimed, "", events.QueryFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, ctx := testenv.StartNATS(t), testenv.Context(t)
			b := n.Bus("test")
			start(ctx, t, n.Bus("status"), time.Hour)
			publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}))
			sequence := publish(ctx, t, b, event(1, 1, 0, 0, 0, events.Queued{Sequence: 1}))
			if tt.started {
				sequence = publish(ctx, t, b, event(2, 1, 3, 2, 1, events.Started{Spec: jobSpec}))
			}
			get(ctx, t, b, sequence)
			if tt.register != nil {
				if _, err := b.Registers.Replace(ctx, jobID, bus.Register{}, *tt.register); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // asked again, the answer is the same
				s, code := ask[events.Status](ctx, t, b, events.SubjectStatusCancel, events.Cancel{ID: jobID})
				if code != tt.code || s.State != tt.answer {
					t.Errorf("answered %q with code %q", s.State, code)
				}
			}
			r, err := b.Registers.Get(ctx, jobID)
			if err != nil || r.State != tt.want {
				t.Errorf("the register is %+v (%v)", r, err)
			}
			if tt.register != nil && (r.Claim != tt.register.Claim || r.Worker != tt.register.Worker || r.Attempt != tt.register.Attempt) {
				t.Errorf("its worker would not know it again: %+v", r)
			}
		})
	}
}

func TestCancelOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	for _, id := range []string{"*", "", "nobody"} {
		if _, code := ask[events.Status](ctx, t, b, events.SubjectStatusCancel, events.Cancel{ID: id}); code != events.QueryNotFound {
			t.Errorf("job %q: %s", id, code)
		}
	}
}

func TestCancelledStartsARunAnew(t *testing.T) {
	t.Parallel()
	old := bus.Register{State: bus.Done, Run: 1, Claim: 4, Worker: "w", Attempt: 2, Opened: true, Outcome: events.StateFailed}
	r, err := cancelled(old, 2, false)
	if want := (bus.Register{State: bus.Cancelled, Run: 2, Claim: 4}); err != nil || r != want {
		t.Errorf("%+v (%v)", r, err)
	}
	if _, err := cancelled(bus.Register{State: bus.Claimed, Run: 3}, 2, true); !errors.Is(err, errBehind) {
		t.Errorf("a later run: %v", err)
	}
}
