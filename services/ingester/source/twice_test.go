package source

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// file is what the servers of these tests have, 10,000 bytes of which no two parts are alike.
var file = func() string {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "row %05d\n", i)
	}
	return text.String()
}()

type answering func(w http.ResponseWriter, r *http.Request)

// twice is a server that answers the first request in one way and the others in another.
type twice struct {
	url      string
	mu       sync.Mutex
	requests []string // each with its Range and If-Range
}

func serveTwice(t *testing.T, first, then answering) *twice {
	t.Helper()
	s := &twice{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
		isFirst := len(s.requests) == 1
		s.mu.Unlock()
		if isFirst {
			first(w, r)
			return
		}
		then(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/f.csv?sig=secret"
	return s
}

// readTo is the first attempt: it reads the bytes before offset.
func (s *twice) readTo(t *testing.T, offset int64) Point {
	t.Helper()
	body := open(t, newSource(t), s.url)
	if _, err := io.CopyN(io.Discard, body, offset); err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	return Point{Offset: body.Offset(), Digest: body.Digest(), Was: body.Validator()}
}

func (s *twice) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.requests, want) {
		t.Errorf("requests %q, want %q", s.requests, want)
	}
}

// wantRest checks that body reads on to the end of content.
func wantRest(t *testing.T, body *Body, content string) {
	t.Helper()
	offset := body.Offset()
	data, err := io.ReadAll(body)
	if err != nil || string(data) != content[offset:] || body.Offset() != int64(len(content)) {
		t.Errorf("read %d bytes to %d, %v; want %d", len(data), body.Offset(), err, int64(len(content))-offset)
	}
	sum := sha256.Sum256([]byte(content))
	if body.Checksum() != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("Checksum() = %s, not of the whole file", body.Checksum())
	}
}

// whole answers with the file and the header given as names and values.
func whole(header ...string) answering { return wholeOf(file, header...) }

func wholeOf(content string, header ...string) answering {
	return func(w http.ResponseWriter, _ *http.Request) { send(w, http.StatusOK, content, header) }
}

// part answers with the part that was asked for, whatever If-Range says.
func part(header ...string) answering {
	return func(w http.ResponseWriter, r *http.Request) {
		var from int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		partFrom(from, header...)(w, r)
	}
}

func partFrom(from int, header ...string) answering {
	return odd(fmt.Sprintf("bytes %d-%d/%d", from, len(file)-1, len(file)), file[from:], header...)
}

// odd answers with a part that may not be what its Content-Range says.
func odd(contentRange, content string, header ...string) answering {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentRange != "" {
			w.Header().Set("Content-Range", contentRange)
		}
		send(w, http.StatusPartialContent, content, header)
	}
}

func multipart(w http.ResponseWriter, r *http.Request) {
	head := "--x\r\nContent-Range: bytes 4000-9999/10000\r\n\r\n"
	odd("", head+file[4000:]+"\r\n--x--\r\n", "ETag", tag, "Content-Type", "multipart/byteranges; boundary=x")(w, r)
}

func status(code int, header ...string) answering {
	return func(w http.ResponseWriter, _ *http.Request) { send(w, code, "", header) }
}

func send(w http.ResponseWriter, code int, content string, header []string) {
	for pair := range slices.Chunk(header, 2) {
		w.Header().Add(pair[0], pair[1])
	}
	if _, streamed := w.(stream); !streamed {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	}
	w.WriteHeader(code)
	io.WriteString(w, content)
}

// stream is an answer without a length, if it is longer than what net/http buffers.
type stream struct{ http.ResponseWriter }

func chunked(answer answering) answering {
	return func(w http.ResponseWriter, r *http.Request) {
		answer(stream{w}, r)
	}
}

// ranging answers requests for a part in that way, and those for the whole as they should be.
func ranging(answer answering) answering {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" {
			answer = whole()
		}
		answer(w, r)
	}
}

// standard is Go's own file server.
func standard(etag, modified string) answering {
	return func(w http.ResponseWriter, r *http.Request) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		date, _ := http.ParseTime(modified)
		http.ServeContent(w, r, "f.csv", date, strings.NewReader(file))
	}
}

// broken is an answer whose connection is lost after so many bytes of the body.
type broken struct {
	http.ResponseWriter
	left int
}

func (b *broken) Write(p []byte) (int, error) {
	n, _ := b.ResponseWriter.Write(p[:min(len(p), b.left)])
	if b.left -= n; b.left == 0 {
		b.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// digestOf is the digest of a body that has read content.
func digestOf(content string) []byte {
	b := &Body{hash: sha256.New()}
	b.hash.Write([]byte(content))
	return b.Digest()
}
