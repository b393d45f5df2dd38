package status

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestRepliesTellWhatWasPublished(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	publish(ctx, t, b, event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}))
	sequence := publish(ctx, t, b, event(1, 1, 0, 0, 0, events.Queued{Sequence: 5}))
	if s := get(ctx, t, b, sequence); s.State != events.StateQueued || s.QueuePosition != 1 {
		t.Errorf("queued: %+v", s)
	}
	sequence = publish(ctx, t, b, event(2, 1, 1, 1, 1, events.Started{Spec: newSpec(events.Normal)}))
	if s := get(ctx, t, b, sequence); s.State != events.StateRunning || s.QueuePosition != 0 {
		t.Errorf("started: %+v", s)
	}
	result := events.Result{Table: "made", Columns: []events.Column{{Name: "a"}}}
	sequence = publish(ctx, t, b, event(3, 1, 1, 1, 2, events.Succeeded{Result: result}))
	if s := get(ctx, t, b, sequence); s.State != events.StateSucceeded || s.Result == nil || s.Result.Columns == nil {
		t.Errorf("succeeded: %+v", s)
	}
	page, code := ask[events.Page](ctx, t, b, events.SubjectStatusList, events.List{Limit: 10, State: events.StateSucceeded})
	if code != "" || len(page.Jobs) != 1 || page.Jobs[0].ID != jobID || page.Jobs[0].Result != nil || page.Next != nil {
		t.Errorf("listed are %+v (%s)", page, code)
	}
	page, code = ask[events.Page](ctx, t, b, events.SubjectStatusList, events.List{Limit: 10, State: events.StateFailed})
	if code != "" || page.Jobs == nil || len(page.Jobs) != 0 {
		t.Errorf("listed as failed are %+v (%s)", page, code)
	}
}

func TestReplicasWriteTheSameDocuments(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status-a"), time.Hour)
	start(ctx, t, n.Bus("status-b"), time.Hour)
	want := publishJobs(ctx, t, b, 20)
	awaitDocuments(ctx, t, b, want)
	testenv.Eventually(ctx, t, "answers of both replicas", func() error {
		get(ctx, t, b, 0, "job-1")
		answering := 0
		for _, stats := range statistics(ctx, t, b) {
			if stats.Endpoints[0].NumRequests+stats.Endpoints[1].NumRequests > 0 {
				answering++
			}
		}
		if answering != 2 {
			return fmt.Errorf("%d replicas have answered", answering)
		}
		return nil
	})
}

func TestDocumentsCanBeFoldedAgain(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	stop := start(ctx, t, n.Bus("status"), time.Hour)
	want := publishJobs(ctx, t, b, 10)
	awaitDocuments(ctx, t, b, want)
	stop()

	for id := range want {
		if err := b.Documents.Purge(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	js := openJetStream(t, b)
	if err := js.DeleteConsumer(ctx, bus.EventsStream, bus.FoldConsumer); err != nil {
		t.Fatal(err)
	}
	start(ctx, t, n.Bus("status"), time.Hour) // the set-up step makes the consumer anew
	awaitDocuments(ctx, t, b, want)
}

func TestRunEndsWithItsContextAndLeavesNothing(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	stop := start(ctx, t, b, time.Hour)
	publishJobs(ctx, t, n.Bus("test"), 3)
	stop()
	testenv.Eventually(ctx, t, "ending", func() error {
		if left := b.Conn.NumSubscriptions(); left > 1 { // the one for answers to the connection's own requests
			return fmt.Errorf("%d subscriptions are left", left)
		}
		return nil
	})
	if _, err := b.Conn.RequestWithContext(ctx, events.SubjectStatusGet, nil); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("asking after its end: %v", err)
	}
}

func TestRunNeedsTheSetUpStep(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	if err := openJetStream(t, b).DeleteConsumer(ctx, bus.EventsStream, bus.FoldConsumer); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{RepairAfter: time.Hour, QuietAfter: time.Hour, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules(), Log: testenv.Log(t)}, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(ctx); !errors.Is(err, bus.ErrNotSetUp) {
		t.Errorf("without the consumer: %v", err)
	}
}

// TestRunSaysWhenTheFoldIsGone holds that a replica which cannot fold any more does not go on as if it could.
func TestRunSaysWhenTheFoldIsGone(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	s, err := New(Config{RepairAfter: time.Hour, QuietAfter: time.Hour, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules(), Log: testenv.Log(t)}, b)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	if err := openJetStream(t, b).DeleteConsumer(ctx, bus.EventsStream, bus.FoldConsumer); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it ended without an error")
		}
	case <-ctx.Done():
		t.Fatal("it goes on")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, after := range []time.Duration{0, -1} {
		if _, err := New(Config{RepairAfter: after, QuietAfter: time.Hour, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules(), Log: testenv.Log(t)}, nil); err == nil {
			t.Errorf("RepairAfter %s is taken", after)
		}
		if _, err := New(Config{RepairAfter: time.Hour, QuietAfter: after, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules(), Log: testenv.Log(t)}, nil); err == nil {
			t.Errorf("QuietAfter %s is taken", after)
		}
	}
	for name, spoil := range map[string]func(*UploadRules){
		"Every":  func(r *UploadRules) { r.Every = 0 },
		"Age":    func(r *UploadRules) { r.Age = 0 },
		"Margin": func(r *UploadRules) { r.Margin = -1 },
	} {
		config := DefaultConfig()
		spoil(&config.Uploads)
		if _, err := New(config, nil); err == nil {
			t.Errorf("uploads are swept without %s", name)
		}
	}
	if _, err := New(DefaultConfig(), nil); err != nil {
		t.Error(err)
	}
}

// start runs a replica until the end of the test, or until stop is called, and fails the test if that takes long.
func start(ctx context.Context, t testing.TB, b *bus.Bus, repairAfter time.Duration) (stop func()) {
	t.Helper()
	return startWith(ctx, t, b, Config{RepairAfter: repairAfter, QuietAfter: time.Hour, Retention: bus.EventsMaxAge, Uploads: DefaultUploadRules()})
}

func startWith(ctx context.Context, t testing.TB, b *bus.Bus, config Config) (stop func()) {
	t.Helper()
	config.Log = testenv.Log(t)
	s, err := New(config, b)
	if err != nil {
		t.Fatal(err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	select {
	case <-s.Ready():
	case err := <-ended:
		cancel()
		t.Fatalf("the replica ended: %v", err)
	case <-ctx.Done():
		cancel()
		t.Fatal("the replica is not ready")
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		begun := time.Now()
		if err := <-ended; err != nil {
			t.Errorf("the replica ended with %v", err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took the replica %s to end", took)
		}
	}
	t.Cleanup(stop)
	return stop
}

func publish(ctx context.Context, t testing.TB, b *bus.Bus, e events.Event) uint64 {
	t.Helper()
	sequence, err := b.Events.Publish(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// publishJobs tells of so many jobs, their events mixed, and returns what their documents have to be.
func publishJobs(ctx context.Context, t testing.TB, b *bus.Bus, jobs int) map[string]Document {
	t.Helper()
	want := map[string]Document{}
	for step, data := range []events.Payload{
		events.Created{Spec: newSpec(events.Normal)}, events.Queued{Sequence: 1}, events.Started{Spec: newSpec(events.Normal)},
		events.Progress{Figures: rows(1)}, events.Progress{Figures: rows(2)}, events.CancelRequested{}, events.Failed{Figures: rows(3)},
	} {
		for i := range jobs {
			if step > i%7 { // jobs get differently far
				continue
			}
			id := fmt.Sprint("job-", i)
			pos := events.Position{Run: 1}
			if step > 1 {
				pos.Claim, pos.Seq = 1, step
			}
			e := events.New(id, pos, noon, "test", data)
			want[id] = fold(want[id], e, publish(ctx, t, b, e))
		}
	}
	return want
}

func awaitDocuments(ctx context.Context, t testing.TB, b *bus.Bus, want map[string]Document) {
	t.Helper()
	testenv.Eventually(ctx, t, "folding", func() error {
		for id, d := range want {
			got, _, _, err := store{b.Documents}.get(ctx, id)
			if err != nil {
				return err
			}
			if got, want := stored(t, got), stored(t, d); got != want {
				return fmt.Errorf("the document of %s is\n%s\nwant\n%s", id, got, want)
			}
		}
		return nil
	})
}

func openJetStream(t testing.TB, b *bus.Bus) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(b.Conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestFoldThatWasGoneIsNoticed deletes the consumer in the moment between its binding and the first pull.
func TestFoldThatWasGoneIsNoticed(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	consumer, err := b.Events.FoldConsumer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := openJetStream(t, b).DeleteConsumer(ctx, bus.EventsStream, bus.FoldConsumer); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- (&folder{consumer: consumer, store: store{kv: b.Documents}, log: testenv.Log(t)}).run(ctx)
	}()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it ended without an error")
		}
	case <-ctx.Done():
		t.Fatal("it goes on")
	}
}
