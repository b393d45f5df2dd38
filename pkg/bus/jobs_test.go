package bus_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const jobID = "019cad9d-77b8-7e92-b486-742b71270372"

func TestJobIsOnTheQueueOnce(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	first := publishJob(ctx, t, b, newJob(1))
	for range 3 {
		if again := publishJob(ctx, t, b, newJob(1)); again != first {
			t.Errorf("the same run again is at %d, the first is at %d", again, first)
		}
	}
	if got := stored(ctx, t, b, bus.JobsStream); got != 1 {
		t.Errorf("%d messages are queued", got)
	}
	got, err := events.DecodeJob(takeJob(ctx, t, b).Data())
	if err != nil {
		t.Fatal(err)
	}
	if want := newJob(1); !reflect.DeepEqual(got, want) {
		t.Errorf("queued %+v, want %+v", got, want)
	}
}

// TestJobIsOnTheQueueOnceAfterRestart holds that the copy on the queue is recognised by its content where the server
// does not remember its message id.
func TestQueuedCopyIsRecognisedByItsRun(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	data := encode(t, newJob(2))
	ack, err := openJetStream(t, b).Publish(ctx, events.JobSubject(events.Normal, jobID), data) // without an id
	if err != nil {
		t.Fatal(err)
	}
	if got := publishJob(ctx, t, b, newJob(2)); got != ack.Sequence {
		t.Errorf("the copy is said to be at %d, it is at %d", got, ack.Sequence)
	}
	for _, run := range []int{1, 3} {
		if _, err := b.Jobs.Publish(ctx, newJob(run)); !errors.Is(err, bus.ErrOtherRun) {
			t.Errorf("run %d while run 2 is queued: %v", run, err)
		}
	}
}

func TestNextRunWaitsForTheQueuedOne(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	publishJob(ctx, t, b, newJob(1))
	if _, err := b.Jobs.Publish(ctx, newJob(2)); !errors.Is(err, bus.ErrOtherRun) {
		t.Fatalf("run 2 while run 1 is queued: %v", err)
	}
	m := takeJob(ctx, t, b)
	if _, err := b.Jobs.Publish(ctx, newJob(2)); !errors.Is(err, bus.ErrOtherRun) {
		t.Fatalf("run 2 while run 1 is with a worker: %v", err)
	}
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	if second := publishJob(ctx, t, b, newJob(2)); second != 2 {
		t.Errorf("run 2 is at %d", second)
	}
	if err := takeJob(ctx, t, b).DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	for _, run := range []int{1, 2} {
		if got := publishJob(ctx, t, b, newJob(run)); got != uint64(run) {
			t.Errorf("run %d is said to be at %d", run, got)
		}
	}
	if got := stored(ctx, t, b, bus.JobsStream); got != 0 {
		t.Errorf("%d messages are queued after both runs were acknowledged", got)
	}
}

func TestLanesHandOutTheirOwn(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	for _, p := range events.Priorities() {
		job := newJob(1)
		job.ID, job.Spec.Priority = string(p), p
		publishJob(ctx, t, b, job)
	}
	for _, p := range events.Priorities() {
		lane, err := b.Jobs.Lane(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		got := fetch(t, lane)
		if len(got) != 1 || got[0].Subject() != "jobs."+string(p)+"."+string(p) {
			t.Errorf("lane %s hands out %d messages: %v", p, len(got), got)
		}
	}
}

// TestFullQueueIsNotAnotherRun holds that a queue without room is told apart from one that holds another run: the
// server refuses with the same code.
func TestFullQueueIsNotAnotherRun(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	js := openJetStream(t, b)
	stream, err := js.Stream(ctx, bus.JobsStream)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.MaxBytes = 16
	if _, err := js.UpdateStream(ctx, config); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Jobs.Publish(ctx, newJob(1)); !errors.Is(err, bus.ErrUnavailable) || errors.Is(err, bus.ErrOtherRun) {
		t.Errorf("publishing to a full queue: %v", err)
	}
}

func newJob(run int) events.Job {
	return events.NewJob(jobID, run, events.Spec{
		Source: events.Source{URL: "http://example.org/a.csv"}, Schema: "public", Mode: events.Create,
		Priority: events.Normal, CreatedAt: time.Date(2026, 3, 2, 8, 15, 4, 120e6, time.UTC),
	})
}

func publishJob(ctx context.Context, t testing.TB, b *bus.Bus, job events.Job) uint64 {
	t.Helper()
	sequence, err := b.Jobs.Publish(ctx, job)
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

func takeJob(ctx context.Context, t testing.TB, b *bus.Bus) jetstream.Msg {
	t.Helper()
	lane, err := b.Jobs.Lane(ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	got, err := lane.Next(jetstream.FetchMaxWait(10 * time.Second)) // a consumer notices a stored message a moment later
	if err != nil {
		t.Fatalf("the lane hands out nothing: %v", err)
	}
	return got
}

// fetch takes what the consumer has to give.
func fetch(t testing.TB, c jetstream.Consumer) []jetstream.Msg {
	t.Helper()
	batch, err := c.FetchNoWait(10)
	if err != nil {
		t.Fatal(err)
	}
	var list []jetstream.Msg
	for m := range batch.Messages() {
		list = append(list, m)
	}
	if err := batch.Error(); err != nil {
		t.Fatal(err)
	}
	return list
}

func stored(ctx context.Context, t testing.TB, b *bus.Bus, stream string) uint64 {
	t.Helper()
	s, err := openJetStream(t, b).Stream(ctx, stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}
