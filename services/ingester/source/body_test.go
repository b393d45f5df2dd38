package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"sluice/pkg/events"
)

const ok = "HTTP/1.1 200 OK\r\n"

func TestBodyOfEachFraming(t *testing.T) {
	tests := []struct {
		name, answer, want string
		size               int64
		known              bool
	}{
		{"length", ok + "Content-Length: 5\r\n\r\nhello", "hello", 5, true},
		{"length and more", ok + "Content-Length: 5\r\n\r\nhello world", "hello", 5, true},
		{"same length twice", ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "hello", 5, true},
		{"empty", ok + "Content-Length: 0\r\n\r\n", "", 0, true},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello", 0, false},
		{"closed", ok + "\r\nhello", "hello", 0, false},
		{"closed, empty", ok + "\r\n", "", 0, false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", "hello", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := open(t, newSource(t), serveText(t, test.answer))
			if size, known := body.Size(); size != test.size || known != test.known {
				t.Errorf("Size() = %d, %v", size, known)
			}
			if err := iotest.TestReader(body, []byte(test.want)); err != nil {
				t.Error(err)
			}
			sum := sha256.Sum256([]byte(test.want))
			if body.Checksum() != "sha256:"+hex.EncodeToString(sum[:]) {
				t.Errorf("Checksum() = %s", body.Checksum())
			}
		})
	}
}

func TestBodyCut(t *testing.T) {
	tests := []struct{ name, answer, part string }{
		{"length", ok + "Content-Length: 100\r\n\r\nhello", "after 5 of 100 bytes"},
		{"nothing at all", ok + "Content-Length: 100\r\n\r\n", "after 0 of 100 bytes"},
		{"in a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "after 3 bytes of an unknown number"},
		{"between chunks", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "after 5 bytes"},
		{"before the trailer", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "after 5 bytes"},
		{"a broken chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n", "after 5 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := open(t, newSource(t), serveText(t, test.answer)+"/f.csv")
			_, err := io.ReadAll(body)
			wantFailure(t, err, events.CodeSourceTruncated, "/f.csv", test.part)
			if n, again := body.Read(make([]byte, 1)); n != 0 || again != err {
				t.Errorf("read again: %d, %v", n, again)
			}
		})
	}
}

func TestBodyReset(t *testing.T) {
	for name, header := range map[string]string{"length": "Content-Length: 100\r\n", "closed": "", "chunked": "Transfer-Encoding: chunked\r\n"} {
		t.Run(name, func(t *testing.T) {
			read := make(chan struct{})
			url := serveRaw(t, func(conn net.Conn) {
				io.WriteString(conn, ok+header+"\r\n5\r\nhello")
				<-read
				conn.(*net.TCPConn).SetLinger(0) // so that closing resets
			})
			body := open(t, newSource(t), url)
			_, err := io.ReadFull(body, make([]byte, 5))
			close(read)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, body)
			wantFailure(t, err, events.CodeSourceTruncated, "broke off after")
		})
	}
}

func TestBodyTooLarge(t *testing.T) {
	limit := func(c *Config) { c.Size = 2048 }
	fits := strings.Repeat("x", 2048)

	announced := serveThenHang(t, ok+"Content-Length: 2049\r\n\r\n")
	wantFailure(t, openErr(t, newSource(t, limit), announced), events.CodeSourceTooLarge, "limit of 2 KiB")

	for name, url := range map[string]string{
		"closed":  serveText(t, ok+"\r\n"+fits+"x"),
		"endless": serveEndless(t, ok+"\r\n", "x"),
		"chunked": serveEndless(t, ok+"Transfer-Encoding: chunked\r\n\r\n", "4\r\nabcd\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := io.ReadAll(open(t, newSource(t, limit), url))
			wantFailure(t, err, events.CodeSourceTooLarge, "limit of 2 KiB")
			if len(data) != 2048 {
				t.Errorf("read %d bytes, want those within the limit", len(data))
			}
		})
	}
	for name, header := range map[string]string{"length": "Content-Length: 2048\r\n", "closed": ""} {
		t.Run("fits by "+name, func(t *testing.T) {
			data, err := io.ReadAll(open(t, newSource(t, limit), serveText(t, ok+header+"\r\n"+fits)))
			if err != nil || !bytes.Equal(data, []byte(fits)) {
				t.Errorf("read %d bytes, %v", len(data), err)
			}
		})
	}
}

func TestBodyOfACancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	body, err := newSource(t).Open(ctx, Request{URL: serveThenHang(t, ok+"Content-Length: 100\r\n\r\nhello")})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadFull(body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		_, err := body.Read(make([]byte, 1))
		result <- err
	}()
	cancel(errors.New("the user changed their mind"))
	var failure *events.Failure
	if err := <-result; !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestBodyClosed(t *testing.T) {
	body := open(t, newSource(t), serveThenHang(t, ok+"Content-Length: 100\r\n\r\nhello"))
	if _, err := io.ReadFull(body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		_, err := body.Read(make([]byte, 1))
		result <- err
	}()
	body.Close()
	if err := <-result; !errors.Is(err, fs.ErrClosed) {
		t.Errorf("error %v", err)
	}
}
