package status

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sluice/pkg/events"
)

// TestReplicasAgree holds that it does not matter in which order events come, how often, to which of several replicas,
// and when these write, read and join what they have.
func TestReplicasAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := histories().Draw(t, "history")
		want := stored(t, folded(history))

		repeats := rapid.SliceOfN(rapid.SampledFrom(history), 0, 4).Draw(t, "repeats")
		deliveries := rapid.Permutation(slices.Concat(history, repeats)).Draw(t, "deliveries")
		replicas := make([]Document, rapid.IntRange(1, 3).Draw(t, "replicas"))
		replica := rapid.IntRange(0, len(replicas)-1)
		for _, e := range deliveries {
			i := replica.Draw(t, "to")
			replicas[i] = fold(replicas[i], e.Event, e.sequence)
			switch j := replica.Draw(t, "with"); rapid.SampledFrom([]string{"", "write", "join"}).Draw(t, "then") {
			case "write":
				replicas[i] = reread(t, replicas[i])
			case "join":
				replicas[j] = join(replicas[i], replicas[j])
			}
		}
		var got Document
		for _, d := range rapid.Permutation(replicas).Draw(t, "order") {
			got = join(got, d)
		}
		if got := stored(t, got); got != want {
			t.Fatalf("folded to\n%s\nand to\n%s", got, want)
		}
	})
}

func TestJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := folded(histories().Draw(t, "a"))
		b := folded(histories().Draw(t, "b"))
		c := folded(histories().Draw(t, "c"))
		same := func(law string, x, y Document) {
			if got, want := stored(t, x), stored(t, y); got != want {
				t.Fatalf("join is not %s:\n%s\n%s", law, got, want)
			}
		}
		same("commutative", join(a, b), join(b, a))
		same("associative", join(a, join(b, c)), join(join(a, b), c))
		same("idempotent", join(a, a), a)
		same("absorbing", join(a, join(a, b)), join(a, b))
		same("neutral to nothing", join(a, Document{}), a)
	})
}

func TestOutcomeIsLeftOnlyForANewerRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d Document
		for _, e := range histories().Draw(t, "history") {
			was := d
			d = fold(d, e.Event, e.sequence)
			if was.State.Terminal() && !d.State.Terminal() && d.Head.Run <= was.Head.Run {
				t.Fatalf("%s of run %d became %s of run %d", was.State, was.Head.Run, d.State, d.Head.Run)
			}
			if was.State == events.StateSucceeded && d.Head.Run == was.Head.Run && d.State != was.State {
				t.Fatalf("a success became %s in the same run", d.State)
			}
		}
	})
}

// TestDocumentSaysWhatHappened compares the document with a plain reading of the whole history.
func TestDocumentSaysWhatHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := histories().Draw(t, "history")
		d := folded(history)
		run := lastRun(history)
		if d.Head == nil {
			if run != 0 || d.State != "" {
				t.Fatalf("run %d is in state %q without a head", run, d.State)
			}
			return
		}
		if d.Head.Run != run || d.State != plainState(history, run) {
			t.Fatalf("run %d is %s, want run %d to be %s", d.Head.Run, d.State, run, plainState(history, run))
		}
		if !d.known() {
			return
		}
		s := d.view()
		if claim, found := firstClaim(history, run); found != (s.StartedAt != nil) || found && d.Started.Claim != claim {
			t.Fatalf("started at %v by %+v, want by claim %d (%t)", s.StartedAt, d.Started, claim, found)
		}
		_, fromAPI := d.Origin.Data.(events.Created)
		if want := slices.ContainsFunc(history, is(events.TypeCreated)); fromAPI != want {
			t.Fatalf("the spec is from the API: %t, want %t", fromAPI, want)
		}
		if last := slices.MaxFunc(history, func(a, b told) int { return cmp.Compare(a.sequence, b.sequence) }); d.Sequence != last.sequence {
			t.Fatalf("folded up to %d, want %d", d.Sequence, last.sequence)
		}
	})
}

func is(kinds ...events.Type) func(told) bool {
	return func(e told) bool { return slices.Contains(kinds, e.Type) }
}

func lastRun(history []told) int {
	run := 0
	for _, e := range history {
		if e.Type != events.TypeCancelRequested {
			run = max(run, e.Run)
		}
	}
	return run
}

func firstClaim(history []told, run int) (claim int, found bool) {
	for _, e := range history {
		if e.Run == run && e.Type == events.TypeStarted && (!found || e.Claim < claim) {
			claim, found = e.Claim, true
		}
	}
	return claim, found
}

func plainState(history []told, run int) events.State {
	history = slices.DeleteFunc(slices.Clone(history), func(e told) bool { return e.Run != run })
	for _, outcome := range []events.Type{events.TypeSucceeded, events.TypeCancelled, events.TypeFailed} {
		if slices.ContainsFunc(history, is(outcome)) {
			return events.State(outcome)
		}
	}
	if slices.ContainsFunc(history, is(events.TypeCancelRequested)) {
		return events.StateCancelling
	}
	claim := 0
	for _, e := range history {
		claim = max(claim, e.Claim)
	}
	history = slices.DeleteFunc(history, func(e told) bool { return e.Claim != claim })
	switch {
	case slices.ContainsFunc(history, is(events.TypeRetrying)):
		return events.StateRetrying
	case slices.ContainsFunc(history, is(events.TypeStarted, events.TypeProgress)):
		return events.StateRunning
	}
	return events.StateQueued
}
