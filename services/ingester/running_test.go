package ingester

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestMessagesOfOneJobMeet(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	lane, err := b.Jobs.Lane(ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	job := events.NewJob(uuid.NewString(), 1, events.Spec{Priority: events.Normal})
	if _, err := b.Jobs.Publish(ctx, job); err != nil {
		t.Fatal(err)
	}
	deliver := func() jetstream.Msg {
		t.Helper()
		msg, err := lane.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := msg.Nak(); err != nil { // so that there is another one
			t.Fatal(err)
		}
		return msg
	}
	begin := func(run int, msg jetstream.Msg) (*attempt, context.Context) {
		loading, stop := context.WithCancelCause(ctx)
		a := &attempt{job: job, lease: lease{msg: msg}, owner: ownership{stop: stop}}
		a.job.Run = run
		return a, loading
	}
	r := newRunning()
	first, _ := begin(1, deliver())
	if !r.enter(first, first.lease.message()) {
		t.Fatal("the first one was not let in")
	}
	again, _ := begin(1, deliver())
	if r.enter(again, again.lease.message()) || first.lease.message() != again.lease.message() || first.lease.deliveries() != 2 {
		t.Error("a redelivery was not adopted")
	}
	other, _ := begin(2, deliver())
	if r.enter(other, other.lease.message()) || first.lease.message() == other.lease.message() {
		t.Error("another run's message was let in, or adopted")
	}

	first.lease.leave() // it is through with its message
	next, loading := begin(2, deliver())
	if !r.enter(next, next.lease.message()) || first.lease.message() == next.lease.message() {
		t.Error("the next run has to wait for one that only tidies up")
	}
	r.leave(first)
	written, err := b.Registers.Replace(ctx, job.ID, bus.Register{}, bus.Register{State: bus.Claimed, Run: 2, Claim: 2})
	if err != nil {
		t.Fatal(err)
	}
	next.owner.wrote(written)
	r.changed(job.ID, bus.Register{})
	if !errors.Is(context.Cause(loading), errOwnershipLost) {
		t.Error("the next run is not told of its register")
	}
	r.leave(next)
	if !r.enter(first, first.lease.message()) {
		t.Error("what has left is still there")
	}
}
