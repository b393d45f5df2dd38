package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestRegisterIsReplacedByWhoeverReadItLast(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	registers := n.Bus("worker").Registers
	absent, err := registers.Get(ctx, jobID)
	if err != nil || absent != (bus.Register{}) || absent.State != bus.Absent || absent.Written() {
		t.Fatalf("of a job never written: %+v, %v", absent, err)
	}
	claimed := replace(ctx, t, registers, absent, bus.Register{State: bus.Claimed, Run: 1, Claim: 1, Worker: "a"})
	if _, err := registers.Replace(ctx, jobID, absent, bus.Register{State: bus.Claimed, Worker: "b"}); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("creating one that exists: %v", err)
	}
	done := replace(ctx, t, registers, claimed, bus.Register{State: bus.Done, Run: 1, Claim: 1, Worker: "a", Outcome: "failed"})
	if _, err := registers.Replace(ctx, jobID, claimed, bus.Register{State: bus.Released}); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("replacing what was replaced: %v", err)
	}
	if !claimed.Written() || !done.After(claimed) || claimed.After(done) || done.After(done) {
		t.Error("the order of writing is lost")
	}
	got, err := registers.Get(ctx, jobID)
	if err != nil || got != done {
		t.Errorf("read %+v (%v), want %+v", got, err, done)
	}
}

func TestRegisterIsRemovedByWhoeverReadItLast(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	registers := n.Bus("worker").Registers
	done := replace(ctx, t, registers, bus.Register{}, bus.Register{State: bus.Done, Run: 1})
	claimed := replace(ctx, t, registers, done, bus.Register{State: bus.Claimed, Run: 2})
	if err := registers.Remove(ctx, jobID, done); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("removing what was replaced: %v", err)
	}
	if err := registers.Remove(ctx, jobID, claimed); err != nil {
		t.Fatal(err)
	}
	absent, err := registers.Get(ctx, jobID)
	if err != nil || absent != (bus.Register{}) {
		t.Errorf("what was removed is %+v, %v", absent, err)
	}
	if err := registers.Remove(ctx, jobID, claimed); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("removing what was removed: %v", err)
	}
	if again := replace(ctx, t, registers, absent, bus.Register{State: bus.Claimed, Run: 3}); !again.After(claimed) {
		t.Error("the order of writing is lost")
	}
}

func TestOneOfManyReplacesARegister(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	registers := n.Bus("worker").Registers
	for _, was := range []bus.Register{{}, replace(ctx, t, registers, bus.Register{}, bus.Register{Run: 1})} {
		id := jobID
		if !was.Written() {
			id = "another"
		}
		errs := make([]error, 8)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { _, errs[i] = registers.Replace(ctx, id, was, bus.Register{State: bus.Claimed, Claim: i}) })
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, bus.ErrConflict):
				t.Errorf("losing: %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d writers replaced the same register", won)
		}
	}
}

func TestRemovedRegisterIsAbsent(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	was := replace(ctx, t, b.Registers, bus.Register{}, bus.Register{State: bus.Done, Run: 1})
	kv, err := openJetStream(t, b).KeyValue(ctx, bus.ControlBucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Purge(ctx, jobID); err != nil {
		t.Fatal(err)
	}
	got, err := b.Registers.Get(ctx, jobID)
	if err != nil || got.Written() || got.State != bus.Absent {
		t.Errorf("of a removed one: %+v, %v", got, err)
	}
	if _, err := b.Registers.Replace(ctx, jobID, was, bus.Register{}); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("replacing what was removed: %v", err)
	}
	next := replace(ctx, t, b.Registers, got, bus.Register{State: bus.Claimed, Run: 2})
	if !next.After(was) {
		t.Error("what was written anew is not after what was removed")
	}
}

func TestUnreadableRegister(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	kv, err := openJetStream(t, b).KeyValue(ctx, bus.ControlBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(ctx, jobID, "{"); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Registers.Get(ctx, jobID); err == nil {
		t.Errorf("read as %+v", r)
	}
}

func TestWatchTellsOfNewWritesInOrder(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	last := replace(ctx, t, b.Registers, bus.Register{}, bus.Register{State: bus.Claimed, Claim: 1})
	seen := watchRegisters(ctx, t, b)
	for claim := 2; claim <= 20; claim++ { // one by one: each is told
		last = replace(ctx, t, b.Registers, last, bus.Register{State: bus.Claimed, Claim: claim})
		if r := next(ctx, t, seen); r != last {
			t.Fatalf("told of %+v, want %+v", r, last)
		}
	}
	told := last
	for claim := 21; claim <= 60; claim++ { // at once: the last is told, and none after a later one
		last = replace(ctx, t, b.Registers, last, bus.Register{State: bus.Claimed, Claim: claim})
	}
	for told != last {
		r := next(ctx, t, seen)
		if !r.After(told) {
			t.Fatalf("told of %+v after %+v", r, told)
		}
		told = r
	}
}

func TestWatchTellsOfRemovalsAndSkipsTheUnreadable(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	kv, err := openJetStream(t, b).KeyValue(ctx, bus.ControlBucket)
	if err != nil {
		t.Fatal(err)
	}
	replace(ctx, t, b.Registers, bus.Register{}, bus.Register{State: bus.Claimed, Claim: 1})
	seen := watchRegisters(ctx, t, b)
	if _, err := kv.PutString(ctx, "unreadable", "{"); err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(ctx, jobID); err != nil {
		t.Fatal(err)
	}
	if r := next(ctx, t, seen); r.Written() {
		t.Errorf("told of %+v, want the removal", r)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	watching, stop := context.WithCancel(ctx)
	before := b.Conn.NumSubscriptions()
	watchRegisters(watching, t, b)
	stop()
	testenv.Eventually(ctx, t, "ending the watch", func() error {
		if got := b.Conn.NumSubscriptions(); got != before {
			return fmt.Errorf("%d subscriptions, before it were %d", got, before)
		}
		return nil
	})
}

// watchRegisters passes on what is told of the job; a write to another one is a failure.
func watchRegisters(ctx context.Context, t testing.TB, b *bus.Bus) <-chan bus.Register {
	t.Helper()
	seen := make(chan bus.Register, 64)
	err := b.Registers.Watch(ctx, func(id string, r bus.Register) {
		if id != jobID {
			t.Errorf("told of job %q", id)
		}
		seen <- r
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func next[T any](ctx context.Context, t testing.TB, seen <-chan T) (told T) {
	t.Helper()
	select {
	case told = <-seen:
	case <-ctx.Done():
		t.Fatal("nothing was told")
	}
	return told
}

func replace(ctx context.Context, t testing.TB, s *bus.Registers, was, next bus.Register) bus.Register {
	t.Helper()
	written, err := s.Replace(ctx, jobID, was, next)
	if err != nil {
		t.Fatal(err)
	}
	return written
}
