package source

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"unicode"

	"sluice/pkg/events"
)

// serveRaw runs a server that reads a request and leaves the answer, byte for byte, to the test. It returns its URL.
func serveRaw(t *testing.T, answer func(conn net.Conn)) string {
	t.Helper()
	return serveConns(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			answer(conn)
		}
	})
}

// serveConns runs a server that leaves its connections to the test. It returns its URL.
func serveConns(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return "http://" + l.Addr().String()
}

// serveText runs a server that answers with text and hangs up.
func serveText(t *testing.T, text string) string {
	t.Helper()
	return serveRaw(t, func(conn net.Conn) { io.WriteString(conn, text) })
}

// serveThenHang runs a server that answers with text and then waits for the client to hang up.
func serveThenHang(t *testing.T, text string) string {
	t.Helper()
	return serveRaw(t, func(conn net.Conn) {
		io.WriteString(conn, text)
		io.Copy(io.Discard, conn)
	})
}

// serveEndless runs a server that answers with start and then with text over and over, until the client hangs up.
func serveEndless(t *testing.T, start, text string) string {
	t.Helper()
	return serveRaw(t, func(conn net.Conn) {
		_, err := io.WriteString(conn, start)
		for err == nil {
			_, err = io.WriteString(conn, text)
		}
	})
}

// closedAddress returns a URL where nothing listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// nameServer runs a name server on loopback that knows the given IPv4 addresses and nothing else. It does not answer
// questions for names that start with "mute.".
func nameServer(t *testing.T, known map[string]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answerQuestion(buf[:n], known); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		running.Wait()
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}
	return &net.Resolver{PreferGo: true, Dial: dial}
}

// answerQuestion answers a DNS query with one question (RFC 1035, section 4).
func answerQuestion(query []byte, known map[string]string) []byte {
	const header = 12
	var labels []string
	end := header
	for query[end] != 0 {
		size := int(query[end])
		labels = append(labels, string(query[end+1:end+1+size]))
		end += 1 + size
	}
	end += 5 // the root label, type and class
	name, wantsIPv4 := strings.Join(labels, "."), query[end-3] == 1
	if strings.HasPrefix(name, "mute.") {
		return nil
	}
	ip, found := known[name]
	reply := append([]byte{}, query[:end]...)
	binary.BigEndian.PutUint16(reply[2:], 0x8180) // a response, recursion available
	clear(reply[6:header])
	switch {
	case !found:
		reply[3] |= 3 // no such name
	case wantsIPv4:
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, net.ParseIP(ip).To4()...)
	}
	return reply
}

// newSource returns a source that may use loopback, with cfg changed by each of change.
func newSource(t *testing.T, change ...func(*Config)) *Opener {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Allow = []string{"127.0.0.0/8", "::1"}
	for _, c := range change {
		c(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// open opens url, which must succeed.
func open(t *testing.T, h *Opener, url string) *Body {
	t.Helper()
	body, err := h.Open(t.Context(), Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { body.Close() })
	return body
}

// openErr opens url, which must fail.
func openErr(t *testing.T, h *Opener, url string) error {
	t.Helper()
	body, err := h.Open(t.Context(), Request{URL: url})
	if err == nil {
		body.Close()
		t.Fatal("opened, want a failure")
	}
	return err
}

// fetchErr opens and reads url, one of which must fail.
func fetchErr(t *testing.T, h *Opener, url string) error {
	t.Helper()
	body, err := h.Open(t.Context(), Request{URL: url})
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err = io.Copy(io.Discard, body); err == nil {
		t.Fatal("read whole, want a failure")
	}
	return err
}

// wantFailure checks that err is a failure of the code, worded for users and containing each of parts.
func wantFailure(t *testing.T, err error, code events.Code, parts ...string) {
	t.Helper()
	var failure *events.Failure
	if !errors.As(err, &failure) {
		t.Fatalf("error %v (%T), want a failure", err, err)
	}
	if failure.Code != code || failure.Retryable != code.Retryable() {
		t.Errorf("%v, retryable %v; want %s", failure, failure.Retryable, code)
	}
	for _, part := range parts {
		if !strings.Contains(failure.Message, part) {
			t.Errorf("message %q lacks %q", failure.Message, part)
		}
	}
	first := []rune(failure.Message)[0]
	if unicode.IsUpper(first) || strings.HasSuffix(failure.Message, ".") || !strings.Contains(failure.Message, "; ") {
		t.Errorf("message %q is not one sentence that ends in advice", failure.Message)
	}
}
