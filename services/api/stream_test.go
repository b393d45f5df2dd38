package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

func TestWatchJob(t *testing.T) {
	e, _ := newLiveEnv(t)
	job := e.create(t, example)
	w, all := e.watch(t, job.Links.Events), e.watch(t, "/v1/events")
	other := e.create(t, example)
	for n, want := range []events.Type{events.TypeCreated, events.TypeQueued} {
		if got := w.next(t); got.Type != string(want) || got.JobID != job.ID || got.Sequence != int64(n+1) {
			t.Errorf("event %d is %+v", n+1, got)
		}
	}
	for _, want := range []events.Type{events.TypeCreated, events.TypeQueued} { // of what was before it knows nothing
		if got := all.next(t); got.Type != string(want) || got.JobID != other.ID {
			t.Errorf("of all jobs comes %+v, want %s of %s", got, want, other.ID)
		}
	}
	for n, data := range []events.Payload{
		events.Started{Worker: "one"}, events.Progress{}, events.Retrying{NextAttemptAt: noon}, events.Started{}, events.Failed{},
	} {
		sequence := e.publish(t, job.ID, position(n+1), data)
		w.expect(t, sequence)
		all.expect(t, sequence)
	}
	w.expectEnd(t)
	all.expect(t, e.publish(t, other.ID, position(1), events.Started{}))
}

// TestWatchRuns holds that a run's end is not the end of a job that was started again.
func TestWatchRuns(t *testing.T) {
	e, _ := newLiveEnv(t)
	id, sequences := e.life(t)
	again := e.publish(t, id, events.Position{Run: 2}, events.Redriven{})
	w := e.watch(t, "/v1/jobs/"+id+"/events")
	w.expect(t, append(sequences, again)...)
	late := e.publish(t, id, position(9), events.Progress{})
	end := e.publish(t, id, events.Position{Run: 2}, events.Cancelled{})
	w.expect(t, late, end)
	w.expectEnd(t)
	e.publish(t, id, position(10), events.Progress{}) // of a worker that has lost the job
	e.watch(t, "/v1/jobs/"+id+"/events", isLast+fmt.Sprint(end-1)).expect(t, end, end+1)
}

func TestHeartbeats(t *testing.T) {
	e, r := newLiveEnv(t, func(e *env) { e.api.config.Heartbeat = 10 * time.Millisecond })
	w := e.watch(t, "/v1/events")
	for n := 0; n < 5; {
		line, err := w.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == ":\n" {
			n++
		}
	}
	r.stop()
}

// TestStreamsOutlastRequests holds that the limits of the server for a request do not end a stream.
func TestStreamsOutlastRequests(t *testing.T) {
	e := newEnv(t)
	e.api.config.Heartbeat = 20 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := e.api.server()
	server.ReadTimeout, server.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	ctx, stop := context.WithCancel(testenv.Context(t))
	ended := make(chan error, 1)
	go func() { ended <- e.api.serve(ctx, l, server) }()
	e.url = "http://" + l.Addr().String()
	w := e.watch(t, "/v1/events")
	for n := 0; n < 10; {
		line, err := w.ReadString('\n')
		if err != nil {
			t.Fatalf("ended after %d heartbeats: %v", n, err)
		}
		if line == ":\n" {
			n++
		}
	}
	w.expect(t, e.publish(t, uuid.NewString(), position(1), events.Queued{}))
	stop()
	w.expectEnd(t)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStreamsEndWithTheAPI(t *testing.T) {
	e, r := newLiveEnv(t, func(e *env) { e.cramped = true })
	job := e.create(t, example)
	one, all := e.watch(t, job.Links.Events), e.watch(t, "/v1/events")
	one.expect(t, 1, 2)
	deaf := e.deaf(t, r, "/v1/events")
	testenv.Eventually(testenv.Context(t), t, "both listen", func() error { return e.listening(everyJob, 2) })
	e.flood(t, 100)
	r.stop()
	if err := <-r.ended; err != nil { // it does not wait for the deaf one
		t.Errorf("ended with %v", err)
	}
	one.expectEnd(t)
	for {
		if _, err := all.read(); err != nil {
			break
		}
	}
	_ = deaf.Close()
	if _, _, err := e.api.feed.join(testenv.Context(t), everyJob); err == nil {
		t.Error("there is room at a feed that has ended")
	}
}

func TestOneConsumerForAll(t *testing.T) {
	e, _ := newLiveEnv(t)
	job := e.create(t, example)
	var watchers []*watcher
	for n := range 50 {
		watchers = append(watchers, e.watch(t, []string{"/v1/events", job.Links.Events}[n%2], isLast+"2"))
	}
	sequence := e.publish(t, job.ID, position(1), events.Started{})
	for _, w := range watchers {
		w.expect(t, sequence)
	}
	ctx := testenv.Context(t)
	js, err := jetstream.New(e.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	list := stream.ConsumerNames(ctx)
	for name := range list.Name() {
		names = append(names, name)
	}
	if err := list.Err(); err != nil || len(names) != 2 { // one is the fold's
		t.Errorf("the consumers are %v (%v)", names, err)
	}
	for _, w := range watchers {
		w.leave()
	}
	testenv.Eventually(ctx, t, "those who left are forgotten", func() error {
		e.api.feed.mu.Lock()
		defer e.api.feed.mu.Unlock()
		if len(e.api.feed.listeners) > 0 {
			return errors.New("they are not")
		}
		return nil
	})
}

func TestStreamsOutliveAnOutage(t *testing.T) {
	e, _ := newLiveEnv(t, func(e *env) { e.api.config.Heartbeat = 10 * time.Millisecond })
	ctx := testenv.Context(t)
	job := e.create(t, example)
	one, all := e.watch(t, job.Links.Events), e.watch(t, "/v1/events")
	one.expect(t, 1, 2)
	for round := 1; round <= 2; round++ {
		e.stopNATS(ctx, t)
		for _, target := range []string{job.Links.Events, "/v1/events"} {
			a := e.call(t, http.MethodGet, target, "", isStream)
			refused(t, a, refusal.QueueUnavailable)
		}
		refused(t, e.get(t, job.Links.Events), refusal.QueueUnavailable)
		if _, err := one.Peek(one.Buffered() + 10*len(":\n\n")); err != nil { // of heartbeats: nothing else can come
			t.Fatalf("the stream ends with the outage: %v", err)
		}
		e.nats.Start()
		var sequence uint64
		testenv.Eventually(ctx, t, "publishing after the outage", func() (err error) {
			sequence, err = e.bus.Events.Publish(ctx, events.New(job.ID, position(round), noon, "ingester/one", events.Started{}))
			return err
		})
		one.expect(t, sequence)
		all.expect(t, sequence)
	}
}

// TestRestoredBehindTheFeed holds that a listener who has read more of the history than was passed on is let go, too, when that no
// longer exists.
func TestRestoredBehindTheFeed(t *testing.T) {
	f := newFeed(nil, testenv.Log(t))
	f.begin(0, 0)
	f.hasRead(6)
	ctx, _, err := f.join(testenv.Context(t), everyJob)
	if err != nil {
		t.Fatal(err)
	}
	f.begin(0, 6) // an outage, after which everything is there
	if err := ctx.Err(); err != nil {
		t.Errorf("let go although nothing was lost: %v", err)
	}
	f.begin(0, 5)
	if why := context.Cause(ctx); !errors.Is(why, errRestored) {
		t.Errorf("let go because of %v", why)
	}
}
