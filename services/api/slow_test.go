package api

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestSlowClient holds that a client that does not read is cut off, and goes on later where it was, while others are not
// kept waiting.
func TestSlowClient(t *testing.T) {
	e, r := newLiveEnv(t, func(e *env) { e.cramped = true })
	fast := e.watch(t, "/v1/events")
	deaf := e.deaf(t, r, "/v1/events")
	testenv.Eventually(testenv.Context(t), t, "both listen", func() error { return e.listening(everyJob, 2) })
	const many = 400
	go func() {
		for n := range many {
			e.publish(t, uuid.NewString(), position(n), events.Failed{Failure: events.Failure{Message: strings.Repeat("x", 1<<10)}})
		}
	}()
	for n := range many {
		fast.expect(t, uint64(n+1))
	}
	ctx, cancel := context.WithTimeout(testenv.Context(t), writeTime/2)
	defer cancel()
	testenv.Eventually(ctx, t, "the slow one is let go", func() error { return e.listening(everyJob, 1) })

	heard := readUntilCut(deaf)
	if heard == 0 || heard >= many {
		t.Fatalf("the slow client has heard %d events", heard)
	}
	w := e.watch(t, "/v1/events", isLast+fmt.Sprint(heard))
	for n := heard; n < many; n++ {
		w.expect(t, uint64(n+1))
	}
}

// deaf asks for a stream and does not read it. Little is kept for it on the way.
func (e *env) deaf(t testing.TB, r run, target string, headers ...string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	head := strings.Join(append(headers, isStream), "\r\n")
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n\r\n", target, head); err != nil {
		t.Fatal(err)
	}
	return conn
}

// readUntilCut returns the id of the last whole event.
func readUntilCut(conn net.Conn) int {
	var text strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	whole := text.String()[:strings.LastIndex(text.String(), "\n\n")]
	var id int
	_, _ = fmt.Sscanf(whole[strings.LastIndex(whole, "id: "):], "id: %d", &id)
	return id
}

// flood stores events that take much room.
func (e *env) flood(t testing.TB, many int) {
	t.Helper()
	for n := range many {
		e.publish(t, uuid.NewString(), position(n), events.Failed{Failure: events.Failure{Message: strings.Repeat("x", 4<<10)}})
	}
}

// listening returns an error unless as many listen to a job, or to all jobs.
func (e *env) listening(jobID string, want int) error {
	e.api.feed.mu.Lock()
	defer e.api.feed.mu.Unlock()
	live := 0
	for l := range e.api.feed.listeners[jobID] {
		if l.live {
			live++
		}
	}
	if live != want {
		return fmt.Errorf("%d listen", live)
	}
	return nil
}

// TestProgressIsCoalesced holds what a listener has room for: half of it may be progress, all of it anything else.
func TestProgressIsCoalesced(t *testing.T) {
	l := &listener{frames: make(chan frame, listenerRoom)}
	for range listenerRoom {
		if !l.offer(frame{kind: events.TypeProgress}) {
			t.Fatal("dropped for progress")
		}
	}
	if len(l.frames) != listenerRoom/2 {
		t.Errorf("%d events of progress wait", len(l.frames))
	}
	for range listenerRoom / 2 {
		if !l.offer(frame{kind: events.TypeQueued}) {
			t.Fatal("no room is left for what happens")
		}
	}
	if l.offer(frame{kind: events.TypeQueued}) {
		t.Error("there is room without end")
	}
	if !l.offer(frame{kind: events.TypeProgress}) {
		t.Error("dropped for progress when it is full")
	}
}
