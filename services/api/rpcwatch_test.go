package api

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
	"sluice/services/api/refusal"
)

// told is a response of one of the streams.
type told interface {
	GetSequence() int64
	GetEvent() *sluicev1.Event
}

// expectTold reads events with these sequences from a stream; what only shows that it is alive is passed over.
func expectTold[T any, M interface {
	*T
	told
}](t testing.TB, stream *connect.ServerStreamForClient[T], sequences ...uint64) {
	t.Helper()
	for _, want := range sequences {
		for {
			if !stream.Receive() {
				t.Fatalf("the stream ends before event %d: %v", want, stream.Err())
			}
			m := M(stream.Msg())
			if m.GetEvent() == nil {
				continue
			}
			if m.GetSequence() != int64(want) || m.GetEvent().GetSequence() != int64(want) {
				t.Fatalf("%v is told, want event %d", m, want)
			}
			break
		}
	}
}

// expectNoMore holds that a stream tells nothing more, and ends so.
func expectNoMore[T any, M interface {
	*T
	told
}](t testing.TB, stream *connect.ServerStreamForClient[T], want connect.Code) {
	t.Helper()
	for stream.Receive() {
		if m := M(stream.Msg()); m.GetEvent() != nil {
			t.Errorf("%v is told", m)
		}
	}
	if err := stream.Err(); err == nil && want != 0 || err != nil && connect.CodeOf(err) != want {
		t.Errorf("the stream ends with %v, want %s", err, want)
	}
}

func TestWatchJobToItsEnd(t *testing.T) {
	e, _ := newLiveEnv(t)
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			id := uuid.NewString()
			first := e.publish(t, id, position(1), events.Created{})
			stream, err := c.WatchJob(testenv.Context(t), &sluicev1.WatchJobRequest{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			expectTold(t, stream, first)
			second := e.publish(t, id, position(2), events.Progress{Figures: events.Figures{Rows: 7}})
			expectTold(t, stream, second)
			if rows := stream.Msg().GetEvent().GetProgress().GetRows(); rows != 7 {
				t.Errorf("%d rows are told of", rows)
			}
			last := e.publish(t, id, position(3), events.Succeeded{Result: events.Result{Table: "t", Rows: 9}})
			expectTold(t, stream, last)
			expectNoMore(t, stream, 0)

			// One that had been cut off goes on, and then has nothing more to tell.
			for after, want := range map[uint64][]uint64{0: {first, second, last}, first: {second, last}, second: {last}, last: nil, last + 1000: {first, second, last}} {
				stream, err := c.WatchJob(testenv.Context(t), &sluicev1.WatchJobRequest{Id: id, AfterSequence: new(int64(after))})
				if err != nil {
					t.Fatal(err)
				}
				expectTold(t, stream, want...)
				expectNoMore(t, stream, 0)
				_ = stream.Close()
			}
		})
	}
}

func TestWatchJobs(t *testing.T) {
	e, _ := newLiveEnv(t)
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			before := e.publish(t, uuid.NewString(), position(1), events.Created{})
			ctx, leave := context.WithCancel(testenv.Context(t))
			stream, err := c.WatchJobs(ctx, &sluicev1.WatchJobsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			if !stream.Receive() || stream.Msg().GetSequence() != int64(before) || stream.Msg().GetEvent() != nil {
				t.Fatalf("the stream begins with %v (%v), want its place, %d", stream.Msg(), stream.Err(), before)
			}
			_, sequences := e.life(t)
			expectTold(t, stream, sequences...)
			leave()
			expectNoMore(t, stream, connect.CodeCanceled)

			again, err := c.WatchJobs(testenv.Context(t), &sluicev1.WatchJobsRequest{AfterSequence: new(int64(sequences[2]))})
			if err != nil {
				t.Fatal(err)
			}
			expectTold(t, again, sequences[3:]...)
			_ = again.Close()
		})
	}
	testenv.Eventually(testenv.Context(t), t, "nobody listens any more", func() error {
		e.api.feed.mu.Lock()
		defer e.api.feed.mu.Unlock()
		if len(e.api.feed.listeners) > 0 {
			return errors.New("someone listens")
		}
		return nil
	})
}

func TestWatchRefuses(t *testing.T) {
	e, _ := newLiveEnv(t)
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			for want, m := range map[refusal.Code]*sluicev1.WatchJobRequest{
				refusal.JobNotFound:    {Id: uuid.NewString()},
				refusal.InvalidRequest: {Id: uuid.NewString(), AfterSequence: new(int64(-1))},
			} {
				stream, err := c.WatchJob(testenv.Context(t), m)
				if err != nil {
					t.Fatal(err)
				}
				if stream.Receive() {
					t.Errorf("told is %v", stream.Msg())
				}
				failed(t, stream.Err(), want)
				_ = stream.Close()
			}
		})
	}
}

// TestWatchIsBrokenOff ends the API, which must not look like the job's end.
func TestWatchIsBrokenOff(t *testing.T) {
	e, run := newLiveEnv(t)
	id := uuid.NewString()
	sequence := e.publish(t, id, position(1), events.Created{})
	streams := map[string]*connect.ServerStreamForClient[sluicev1.WatchJobResponse]{}
	for name, c := range e.callers(t) {
		stream, err := c.WatchJob(testenv.Context(t), &sluicev1.WatchJobRequest{Id: id})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.Close() }()
		expectTold(t, stream, sequence)
		streams[name] = stream
	}
	run.stop()
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) { expectNoMore(t, stream, connect.CodeUnavailable) })
	}
	if err := <-run.ended; err != nil {
		t.Errorf("the API ended with %v", err)
	}
}

// tardy is a log that keeps requests waiting which are about to end, as a machine does that has no processor to spare.
type tardy struct {
	slog.Handler
	by time.Duration
}

func (tardy) Enabled(context.Context, slog.Level) bool { return true }

func (l tardy) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "request" {
		<-time.After(l.by)
	}
	return nil
}

// TestEndIsSentHoweverLate holds that a stream whose handler takes long to end is told its end.
func TestEndIsSentHoweverLate(t *testing.T) {
	t.Parallel()
	e, _ := newLiveEnv(t, func(e *env) { e.api.config.Log = slog.New(tardy{slog.DiscardHandler, 3 * time.Second}) })
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := uuid.NewString()
			last := e.publish(t, id, position(1), events.Cancelled{})
			stream, err := c.WatchJob(testenv.Context(t), &sluicev1.WatchJobRequest{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			expectTold(t, stream, last)
			expectNoMore(t, stream, 0)
		})
	}
}

// TestStreamsOutliveLimits holds that streams last longer than the server gives a request, and show meanwhile that they are
// alive.
func TestStreamsOutliveLimits(t *testing.T) {
	const limit = 200 * time.Millisecond
	e, _ := newLiveEnv(t, func(e *env) {
		e.limit, e.api.config.Heartbeat = limit, 3*limit
	})
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream, err := c.WatchJobs(testenv.Context(t), &sluicev1.WatchJobsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			for n := range 4 {
				if !stream.Receive() {
					t.Fatalf("the stream ends after %d responses: %v", n, stream.Err())
				}
			}
		})
	}
}

// TestStreamsOutliveWrites holds that a stream with nothing to send lasts longer than a client may take to make room, by HTTP/2
// too, which ends a stream when its limit has passed.
func TestStreamsOutliveWrites(t *testing.T) {
	t.Parallel()
	e, _ := newLiveEnv(t, func(e *env) { e.api.config.Heartbeat = writeTime + time.Second })
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodGet, e.url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := overHTTP2(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.ProtoMajor != 2 || response.Header.Get("Content-Type") != eventStream {
		t.Fatalf("answered %s %v", response.Proto, response.Header)
	}
	text := bufio.NewReader(response.Body)
	for line := ""; line != ":\n"; {
		if line, err = text.ReadString('\n'); err != nil {
			t.Fatalf("the stream ends before it shows that it is alive: %v", err)
		}
	}
}

// TestSlowCaller holds that a caller that does not read is cut off, while another one is told everything.
func TestSlowCaller(t *testing.T) {
	e, _ := newLiveEnv(t)
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols: protocols, HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10},
	}
	defer transport.CloseIdleConnections()
	slow := sluicev1connect.NewJobServiceClient(&http.Client{Transport: transport}, e.url, connect.WithGRPC())
	fast := e.callers(t)["gRPC"]
	deaf, err := slow.WatchJobs(testenv.Context(t), &sluicev1.WatchJobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Close() }()
	stream, err := fast.WatchJobs(testenv.Context(t), &sluicev1.WatchJobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	testenv.Eventually(testenv.Context(t), t, "both listen", func() error { return e.listening(everyJob, 2) })
	const many = 600
	go func() {
		for n := range many {
			e.publish(t, uuid.NewString(), position(n), events.Failed{Failure: events.Failure{Message: strings.Repeat("x", 1<<10)}})
		}
	}()
	for n := range many {
		expectTold(t, stream, uint64(n+1))
	}
	testenv.Eventually(testenv.Context(t), t, "the slow one is let go", func() error { return e.listening(everyJob, 1) })
	heard := int64(0)
	for deaf.Receive() {
		heard = deaf.Msg().GetSequence()
	}
	if deaf.Err() == nil || heard >= many {
		t.Errorf("the slow caller has heard %d events, and then %v", heard, deaf.Err())
	}
	again, err := fast.WatchJobs(testenv.Context(t), &sluicev1.WatchJobsRequest{AfterSequence: &heard})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	for n := heard; n < many; n++ {
		expectTold(t, again, uint64(n+1))
	}
}
