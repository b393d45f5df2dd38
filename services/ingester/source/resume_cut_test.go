package source

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"sluice/pkg/events"
)

func TestResumedPartIsCut(t *testing.T) {
	const head = "HTTP/1.1 206 Partial Content\r\nETag: " + tag + "\r\nContent-Range: bytes 4000-9999/10000\r\n"
	tests := []struct {
		name, answer string
		changed      bool
	}{
		{"length", head + "Content-Length: 6000\r\n\r\nrow 00400\n", false},
		{"chunked", head + "Transfer-Encoding: chunked\r\n\r\na\r\nrow 00400\n\r\n", false},
		{"chunked, ended", head + "Transfer-Encoding: chunked\r\n\r\na\r\nrow 00400\n\r\n0\r\n\r\n", false},
		{"closed", head + "\r\nrow 00400\n", false},
		{"chunked, too long", head + "Transfer-Encoding: chunked\r\n\r\n1771\r\n" + file[4000:] + "x\r\n0\r\n\r\n", true},
		{"closed, too long", head + "\r\n" + file[4000:] + "x", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := resumeRaw(t, newSource(t), serveText(t, test.answer))
			data, err := io.ReadAll(body)
			if test.changed {
				if !errors.Is(err, ErrChanged) || len(data) > 6000 {
					t.Errorf("read %d bytes, %v; want ErrChanged", len(data), err)
				}
				return
			}
			wantFailure(t, err, events.CodeSourceTruncated, "after 4010 of 10000 bytes")
			if string(body.Digest()) != string(digestOf(file[:4010])) {
				t.Error("digest is not that of the bytes so far")
			}
		})
	}
}

func TestResumedPartStalls(t *testing.T) {
	const head = "HTTP/1.1 206 Partial Content\r\nETag: " + tag + "\r\nContent-Range: bytes 4000-9999/10000\r\n\r\n"
	h := newSource(t, func(c *Config) { c.StallWindow = 50 * time.Millisecond })
	err := resumeRaw(t, h, serveThenHang(t, head+"row 00400\n")).Skip(9000)
	wantFailure(t, err, events.CodeSourceStalled, "stopped at 4010 of 10000 bytes")
}

// resumeRaw resumes at 4000 of 10,000 bytes from a server that gives a part.
func resumeRaw(t *testing.T, h *Opener, url string) *Body {
	t.Helper()
	first, err := parseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	was := Validator{ETag: tag, Length: int64(len(file)), Place: placeOf(first)}
	body, err := h.Resume(t.Context(), Request{URL: url}, Point{Offset: readAt, Digest: digestOf(file[:readAt]), Was: was})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { body.Close() })
	return body
}

// TestResumeManyTimes loses each connection at another place.
func TestResumeManyTimes(t *testing.T) {
	cut := func(w http.ResponseWriter, r *http.Request) { standard(tag, "")(&broken{w, 700}, r) }
	s := serveTwice(t, cut, cut)
	h := newSource(t)
	at, attempts := Point{}, 0
	for ; ; attempts++ {
		body, err := h.Resume(t.Context(), Request{URL: s.url}, at)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, body)
		if at = (Point{Offset: body.Offset(), Digest: body.Digest(), Was: body.Validator()}); err == nil {
			wantRest(t, body, file)
			break
		}
		wantFailure(t, err, events.CodeSourceTruncated)
		body.Close()
	}
	if attempts != len(file)/700 {
		t.Errorf("cut %d times", attempts)
	}
}
