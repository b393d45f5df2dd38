package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/services/api/refusal"
)

// beginUpload sends the head of an upload and a part of its body.
func (r run) beginUpload(t testing.TB, size int, sent string) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprintf(conn, "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", size, sent); err != nil {
		t.Fatal(err)
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp, bufio.NewReader(conn)
}

// answered reads the answer of a connection.
func answered(t testing.TB, from *bufio.Reader) answer {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: data}
	if err := described().allows(http.MethodPost, "/v1/uploads", a); err != nil {
		t.Error(err)
	}
	return a
}

// TestUploadIsCutOff holds that nothing is kept of a body that does not come to its end.
func TestUploadIsCutOff(t *testing.T) {
	e := newEnv(t)
	e.api.intake.pace = 300 * time.Millisecond
	r := e.run(t, time.Minute)
	const sent = 2 << 20
	for name, cut := range map[string]func(conn *net.TCPConn) (answered bool, err error){
		"by its end":   func(conn *net.TCPConn) (bool, error) { return true, conn.CloseWrite() },
		"by a reset":   func(conn *net.TCPConn) (bool, error) { return false, errors.Join(conn.SetLinger(0), conn.Close()) },
		"by a closing": func(conn *net.TCPConn) (bool, error) { return false, conn.Close() },
		"by silence":   func(*net.TCPConn) (bool, error) { return true, nil },
	} {
		t.Run(name, func(t *testing.T) {
			conn, reader := r.beginUpload(t, sent+1, strings.Repeat("a", sent))
			e.awaitUploads(t, func(messages int) bool { return messages > 0 })
			told, err := cut(conn)
			if err != nil {
				t.Fatal(err)
			}
			if told {
				refused(t, answered(t, reader), refusal.UploadIncomplete)
			}
			e.awaitUploads(t, func(messages int) bool { return messages == 0 })
			e.awaitNoUpload(t)
		})
	}
	t.Run("in a chunk of its transfer", func(t *testing.T) {
		conn, err := net.Dial("tcp", r.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = io.WriteString(conn, "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz")
		if err != nil {
			t.Fatal(err)
		}
		refused(t, answered(t, bufio.NewReader(conn)), refusal.UploadIncomplete)
		e.expectUploads(t, 0)
	})
}

// awaitUploads waits until as many messages as wanted are in the store.
func (e *env) awaitUploads(t testing.TB, wanted func(messages int) bool) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "the store is as wanted", func() error {
		if got := len(e.stored(t, bus.UploadsStream)); !wanted(got) {
			return fmt.Errorf("it has %d messages", got)
		}
		return nil
	})
}

// awaitNoUpload waits until none is under way.
func (e *env) awaitNoUpload(t testing.TB) {
	t.Helper()
	testenv.Eventually(testenv.Context(t), t, "no upload is under way", func() error {
		if len(e.api.intake.slots) > 0 {
			return errors.New("there is one")
		}
		return nil
	})
}

// TestUploadTakesItsTime holds that the server's limits for requests are not those of uploads.
func TestUploadTakesItsTime(t *testing.T) {
	e := newEnv(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testenv.Context(t))
	server := e.api.server()
	server.ReadTimeout, server.WriteTimeout = 50*time.Millisecond, 60*time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- e.api.serve(ctx, listener, server) }()
	conn, reader := run{listener: listener}.beginUpload(t, 10, "")
	for n := range 10 {
		<-time.After(20 * time.Millisecond)
		if _, err := fmt.Fprint(conn, n); err != nil {
			t.Fatal(err)
		}
	}
	if a := answered(t, reader); a.status != http.StatusCreated {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	// The connection has its usual limits again.
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the next request is answered with %v (%v)", response, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestUploadEndsWithTheAPI holds that an upload does not hold up the end of the API, and that nothing is left of it.
func TestUploadEndsWithTheAPI(t *testing.T) {
	e := newEnv(t)
	r := e.run(t, 5*time.Second)
	_, reader := r.beginUpload(t, 10<<20, strings.Repeat("a", 2<<20))
	e.awaitUploads(t, func(messages int) bool { return messages > 0 })
	r.stop()
	refused(t, answered(t, reader), refusal.UploadUnavailable)
	if err := <-r.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	e.expectUploads(t, 0)
}

// TestUploadTakesLittleMemory uploads a file that is many times larger than what the API and the server, which keeps in memory
// for a while what it has read, take for it, and reads it slowly.
func TestUploadTakesLittleMemory(t *testing.T) {
	e := newEnv(t)
	const size, allowed = 200 << 20, 96 << 20
	peak := watchHeap(t)
	u := e.upload(t, "", io.LimitReader(endless{strings.Repeat("0123456789abcde\n", 64)}, size))
	if u.Bytes != size {
		t.Errorf("kept are %d bytes", u.Bytes)
	}
	t.Logf("uploading took %d MiB", peak()>>20)
	reader, err := e.bus.Uploads.Open(testenv.Context(t), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	buf, read := make([]byte, 1<<20), 0
	for {
		n, err := reader.Read(buf)
		read += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		<-pause.C
	}
	if took := peak(); read != size || took > allowed {
		t.Errorf("%d bytes are read; at most %d MiB were taken, allowed are %d", read, took>>20, allowed>>20)
	} else {
		t.Logf("with reading it took %d MiB", took>>20)
	}
}

// watchHeap returns what the heap has at most taken more than at first.
func watchHeap(t testing.TB) func() uint64 {
	t.Helper()
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	first := stats.HeapAlloc
	ended, peaks := make(chan struct{}), make(chan uint64)
	t.Cleanup(func() { close(ended) })
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		peak := first
		for {
			select {
			case <-ended:
				return
			case peaks <- peak - first:
			case <-tick.C:
				runtime.GC() // what is garbage tells of the collector
				runtime.ReadMemStats(&stats)
				peak = max(peak, stats.HeapAlloc)
			}
		}
	}()
	return func() uint64 { return <-peaks }
}

// endless is a file of the same line again and again.
type endless struct{ line string }

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for len(p)-n >= len(e.line) {
		n += copy(p[n:], e.line)
	}
	return n, nil
}
