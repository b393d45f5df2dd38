package status

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestRefoldIsWhatReplicasFolded publishes random histories of many jobs, mixed, while two replicas fold them.
func TestRefoldIsWhatReplicasFolded(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status-a"), time.Hour)
	start(ctx, t, n.Bus("status-b"), time.Hour)
	const jobs = 100
	for i := range jobs * 12 { // no history is longer than 11
		history := histories().Example(i % jobs)
		if round := i / jobs; round < len(history) {
			e := history[round].Event
			e.JobID = fmt.Sprint("job-", i%jobs)
			publishPlainly(ctx, t, b, e.Subject(), encoded(&e))
		}
	}
	publishPlainly(ctx, t, b, events.EventSubject("job-1", events.TypeFailed), []byte("{"))
	awaitFold(ctx, t, b)
	refolded := refold(ctx, t, b)
	if len(refolded) != jobs {
		t.Errorf("%d jobs are refolded, want %d", len(refolded), jobs)
	}
	expectDivergent(ctx, t, b, refolded)
}

// TestRefoldAfterThinning holds that it takes nothing from a document that most of the progress is gone.
func TestRefoldAfterThinning(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	var want Document
	tell := func(claim, seq int, data events.Payload) {
		e := event(seq, 1, claim, claim, seq, data)
		want = fold(want, e, publish(ctx, t, b, e))
	}
	tell(0, 0, events.Created{Spec: newSpec(events.Normal)})
	for claim := 1; claim <= 2; claim++ {
		tell(claim, 1, events.Started{Spec: newSpec(events.Normal)})
		for seq := 2; seq < 30; seq++ {
			tell(claim, seq, events.Progress{Figures: rows(int64(seq))})
		}
		awaitFold(ctx, t, b)
		expectDivergent(ctx, t, b, map[string]Document{jobID: want})
		expectDivergent(ctx, t, b, refold(ctx, t, b))
		tell(claim, 30, events.Retrying{NextAttemptAt: noon})
	}
}

// TestRefoldKnowsNoMoreThanTheDocument holds for the rare histories where thinning does take something away.
func TestRefoldKnowsNoMoreThanTheDocument(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}))
	publish(ctx, t, b, event(1, 1, 18, 1, 2, events.Progress{Figures: rows(99)})) // the owner's
	for claim := 1; claim <= 17; claim++ {
		publish(ctx, t, b, event(claim, 1, claim, 1, 1, events.Started{Spec: newSpec(events.Normal)}))
		publish(ctx, t, b, event(claim, 1, claim, 1, 2, events.Progress{Figures: rows(int64(claim))}))
		if claim == 1 {
			awaitFold(ctx, t, b) // before there is anything to thin
		}
	}
	awaitFold(ctx, t, b)
	d, _, _, err := store{b.Documents}.get(ctx, jobID)
	if err != nil {
		t.Fatal(err)
	}
	again := refold(ctx, t, b)[jobID]
	if stored(t, join(d, again)) != stored(t, d) {
		t.Errorf("the refold knows more:\n%s\n%s", stored(t, again), stored(t, d))
	}
	if d.Started.Claim != 1 || again.Started.Claim != 2 || d.Figures.Claim != 18 || again.Figures.Claim != 17 || d.Sequence != again.Sequence {
		t.Errorf("the document is\n%s\nand its refold\n%s", stored(t, d), stored(t, again))
	}
	expectDivergent(ctx, t, b, refold(ctx, t, b), jobID)
}

// TestDivergentDocumentsAreFound changes, removes and adds documents behind status's back.
func TestDivergentDocumentsAreFound(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	want := publishJobs(ctx, t, b, 8)
	awaitFold(ctx, t, b)
	expectDivergent(ctx, t, b, want)
	expectDivergent(ctx, t, b, refold(ctx, t, b))

	changed := want["job-3"]
	changed.Sequence++
	if _, err := b.Documents.PutString(ctx, "job-3", stored(t, changed)); err != nil {
		t.Fatal(err)
	}
	if err := b.Documents.Purge(ctx, "job-5"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Documents.PutString(ctx, "job-99", stored(t, want["job-1"])); err != nil {
		t.Fatal(err)
	}
	expectDivergent(ctx, t, b, refold(ctx, t, b), "job-3", "job-5", "job-99")
}

func refold(ctx context.Context, t testing.TB, b *bus.Bus) map[string]Document {
	t.Helper()
	documents, err := Refold(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func expectDivergent(ctx context.Context, t testing.TB, b *bus.Bus, documents map[string]Document, want ...string) {
	t.Helper()
	got, err := Divergent(ctx, b, documents)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("divergent are %v (%v), want %v", got, err, want)
	}
}

// publishPlainly appends an event without an id: what is told twice is stored twice.
func publishPlainly(ctx context.Context, t testing.TB, b *bus.Bus, subject string, data []byte) {
	t.Helper()
	if _, err := openJetStream(t, b).Publish(ctx, subject, data); err != nil {
		t.Fatal(err)
	}
}
