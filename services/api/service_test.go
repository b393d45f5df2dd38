package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// TestRunLetsRequestsFinish ends the service in the middle of a request.
func TestRunLetsRequestsFinish(t *testing.T) {
	e := newEnv(t)
	run := e.run(t, time.Minute)
	conn, reader := run.halfARequest(t)
	run.stop()
	if _, err := io.WriteString(conn, example[1:]); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusAccepted {
		t.Errorf("answered %s", response.Status)
	}
	if err := <-run.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	e.expectStored(t, 1)
}

func TestRunEndsInTime(t *testing.T) {
	e := newEnv(t)
	run := e.run(t, time.Millisecond)
	run.halfARequest(t)
	run.stop()
	if err := <-run.ended; err == nil {
		t.Error("ended in order although a request was cut off")
	}
	e.expectStored(t, 0)
}

func TestRunTellsOfItsListener(t *testing.T) {
	e := newEnv(t)
	run := e.run(t, time.Minute)
	if err := run.listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-run.ended; err == nil {
		t.Error("ended without a word when its listener failed")
	}
}

type run struct {
	listener net.Listener
	stop     context.CancelFunc
	ended    chan error
}

func (e *env) run(t testing.TB, drain time.Duration) run {
	t.Helper()
	e.api.config.DrainTime = drain
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testenv.Context(t))
	r := run{listener: l, stop: cancel, ended: make(chan error, 1)}
	served := l
	if e.cramped {
		served = smallBuffers{l}
	}
	server := e.api.server()
	if e.limit > 0 {
		server.ReadTimeout, server.WriteTimeout = e.limit, e.limit
	}
	go func() { r.ended <- e.api.serve(ctx, served, server) }()
	return r
}

// smallBuffers has the system keep little of what a client does not read.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetWriteBuffer(4 << 10)
	}
	return conn, err
}

// halfARequest sends the first byte of a body, once the API waits for it.
func (r run) halfARequest(t testing.TB) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n%s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", isJSON, len(example))
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusContinue {
		t.Fatalf("answered %v (%v), want to go on", response, err)
	}
	if _, err := io.WriteString(conn, example[:1]); err != nil {
		t.Fatal(err)
	}
	return conn, reader
}
