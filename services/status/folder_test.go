package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestWhatCannotBeFoldedIsSkipped holds that no event can hold up the others, or come again for ever.
func TestWhatCannotBeFoldedIsSkipped(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	misplaced := event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)})
	noKey := misplaced
	noKey.JobID = "a$b"
	later := encoded(&misplaced)
	for subject, data := range map[string][]byte{
		"events." + jobID + ".created":  []byte("{"),
		"events." + jobID + ".queued":   []byte(`{"v":2,"job_id":"` + jobID + `","type":"queued"}`),
		"events." + jobID + ".paused":   []byte(`{"v":1,"job_id":"` + jobID + `","type":"paused","run":1}`),
		"events." + jobID + ".failed":   nil,
		"events.another.created":        later,
		"events." + jobID + ".redriven": later,
		noKey.Subject():                 encoded(&noKey),
	} {
		if _, err := openJetStream(t, b).Publish(ctx, subject, data); err != nil {
			t.Fatal(err)
		}
	}
	good := events.New("good", events.Position{Run: 1}, noon, "test", events.Created{Spec: newSpec(events.Normal)})
	sequence := publish(ctx, t, b, good)
	start(ctx, t, n.Bus("status"), time.Hour)
	awaitDocuments(ctx, t, b, map[string]Document{"good": documentOf(good, sequence), jobID: {}, "another": {}})
	awaitFold(ctx, t, b)
}

// TestUnreadableDocumentHoldsUpNoOther holds that a document which a later Sluice may have written is left alone.
func TestUnreadableDocumentHoldsUpNoOther(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	const strange = `{"head":{"v":2}}`
	if _, err := b.Documents.PutString(ctx, jobID, strange); err != nil {
		t.Fatal(err)
	}
	start(ctx, t, n.Bus("status"), time.Hour)
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}))
	want := publishJobs(ctx, t, b, 3)
	awaitDocuments(ctx, t, b, want)
	entry, err := b.Documents.Get(ctx, jobID)
	if err != nil || string(entry.Value()) != strange {
		t.Errorf("the document is now %s (%v)", entry.Value(), err)
	}
}

// TestMergingAtOnce holds that no event is lost to another writer.
func TestMergingAtOnce(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	var group sync.WaitGroup
	var want Document
	errs := make([]error, 12)
	for i := range errs {
		e := event(i, 1, i, 1, 1, events.Started{Spec: newSpec(events.Normal)})
		want = fold(want, e, uint64(i+1))
		group.Go(func() { errs[i] = store{b.Documents}.merge(ctx, jobID, documentOf(e, uint64(i+1))) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	awaitDocuments(ctx, t, b, map[string]Document{jobID: want})
}

func TestFoldingAgainWritesNothing(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	d := documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}), 1)
	var revisions []uint64
	for range 2 {
		if err := (store{b.Documents}).merge(ctx, jobID, d); err != nil {
			t.Fatal(err)
		}
		_, revision, _, err := store{b.Documents}.get(ctx, jobID)
		if err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, revision)
	}
	if revisions[0] != revisions[1] {
		t.Errorf("the revisions are %v", revisions)
	}
}

// TestWatchForgetsWhatIsGone holds that a new watch takes out of the index what left the bucket before it began.
func TestWatchForgetsWhatIsGone(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	x := newIndex(time.Now)
	x.put("gone", queuedJob("gone", events.Normal, 1))
	x.put("kept", queuedJob("kept", events.Normal, 2))
	if err := (store{b.Documents}).merge(ctx, "kept", queuedJob("kept", events.Normal, 2)); err != nil {
		t.Fatal(err)
	}
	start := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- watch(watching, b, x, nil, func() { close(start) }, testenv.Log(t))
	}()
	select {
	case <-start:
	case err := <-ended:
		t.Fatalf("the watch ended: %v", err)
	}
	if got, _ := x.list(events.List{}, 10); len(got) != 1 || got[0].ID != "kept" || got[0].QueuePosition != 1 {
		t.Errorf("listed are %+v", got)
	}
	if err := b.Documents.Purge(ctx, "kept"); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "forgetting", func() error {
		if got, _ := x.list(events.List{}, 10); len(got) > 0 {
			return fmt.Errorf("listed are %+v", got)
		}
		return nil
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// awaitFold waits until every event is acknowledged.
func awaitFold(ctx context.Context, t testing.TB, b *bus.Bus) {
	t.Helper()
	testenv.Eventually(ctx, t, "acknowledging", func() error {
		consumer, err := b.Events.FoldConsumer(ctx)
		if err != nil {
			return err
		}
		if info := consumer.CachedInfo(); info.NumPending > 0 || info.NumAckPending > 0 {
			data, _ := json.Marshal(info)
			return fmt.Errorf("events are left: %s", data)
		}
		return nil
	})
}
