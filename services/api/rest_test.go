package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/services/api/refusal"
)

// TestLargeBodiesAreAnswered holds that a client that sends far too much, and reads only then, sees why it was refused.
func TestLargeBodiesAreAnswered(t *testing.T) {
	e := newEnv(t)
	r := e.run(t, time.Minute)
	const size = 10 << 20
	body := strings.Repeat("x", size)
	for name, tt := range map[string]struct {
		head string
		code refusal.Code
	}{
		"too large":                {"POST /v1/jobs HTTP/1.1\r\n" + isJSON, refusal.BodyTooLarge},
		"too large a form":         {"POST /download_file HTTP/1.1\r\n" + isForm, refusal.BodyTooLarge},
		"a page of another origin": {"POST /v1/jobs HTTP/1.1\r\nSec-Fetch-Site: cross-site", refusal.CrossOrigin},
	} {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body), fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body)} {
			conn, err := net.Dial("tcp", r.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn, "%s\r\nHost: localhost\r\n%s", tt.head, framing); err != nil {
				t.Errorf("%s: sending: %v", name, err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s: reading: %v", name, err)
				continue
			}
			data, err := io.ReadAll(response.Body)
			a := answer{status: response.StatusCode, header: response.Header, body: data}
			if err != nil {
				t.Errorf("%s: reading: %v", name, err)
			}
			refused(t, a, tt.code)
			_ = conn.Close()
		}
	}
	e.expectStored(t, 0)
}

// TestLeaveToSendIsNotGiven holds that a client that asks before it sends is told no, and sends nothing.
func TestLeaveToSendIsNotGiven(t *testing.T) {
	e := newEnv(t)
	r := e.run(t, time.Minute)
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n%s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", isJSON, 10<<20); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %v (%v)", response, err)
	}
}

// TestStalledBodiesAreNotWaitedFor holds that what is refused is answered although the rest of its body does not come.
func TestStalledBodiesAreNotWaitedFor(t *testing.T) {
	e := newEnv(t)
	e.api.restTime = 50 * time.Millisecond
	r := e.run(t, time.Minute)
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Length: %d\r\n\r\n{", isJSON, 10<<20); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %v (%v)", response, err)
	}
}
