package fault

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// source serves a file, and can stop in the middle of it.
type source struct {
	addr string // where it is served
	url  string
	*file
	ranges bool          // whether a part may be asked for
	pace   time.Duration // before each piece
	asked  func(n int)   // told of each request, by its number from 1, before it is answered; may be nil

	mu       sync.Mutex
	gates    []*gate
	requests int
	sent     int64
}

// gate holds up whoever wants to read beyond an offset.
type gate struct {
	at      int
	reached chan struct{}
	open    chan struct{}

	opening, arriving sync.Once
}

// pieceBytes is how much of a file is sent at a time.
const pieceBytes = 16 << 10

// serve serves a file until the end of the test.
func serve(t *testing.T, f *file, ranges bool) *source {
	t.Helper()
	s := &source{file: f, ranges: ranges}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.openGates()
		server.CloseClientConnections()
		server.Close()
	})
	s.at(strings.TrimPrefix(server.URL, "http://"))
	return s
}

// at says where the file is to be found: a proxy may stand before the server. Names of tables are derived from its name,
// which no other file has.
func (s *source) at(addr string) {
	s.addr, s.url = addr, "http://"+addr+"/file"+s.checksum[len("sha256:"):len("sha256:")+8]+".csv"
}

// addGate holds the file up at an offset, for whoever reads it.
func (s *source) addGate(at int) *gate {
	g := &gate{at: at, reached: make(chan struct{}), open: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gates = append(s.gates, g)
	return g
}

func (s *source) openGates() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.gates {
		g.release()
	}
	s.gates = nil
}

func (g *gate) release() { g.opening.Do(func() { close(g.open) }) }

func (g *gate) arrive() { g.arriving.Do(func() { close(g.reached) }) }

// totals are how often the file was asked for, and how many bytes of it were sent altogether.
func (s *source) totals() (requests int, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.sent
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	n := s.requests
	s.mu.Unlock()
	if s.asked != nil {
		s.asked(n)
	}
	from := 0
	w.Header().Set("Content-Type", "text/csv")
	if s.ranges {
		tag := `"` + strings.TrimPrefix(s.checksum, "sha256:") + `"`
		w.Header().Set("Accept-Ranges", "bytes")
		w.Header().Set("ETag", tag)
		wanted, unchanged := r.Header.Get("Range"), r.Header.Get("If-Range")
		if unchanged == "" || unchanged == tag {
			_, _ = fmt.Sscanf(wanted, "bytes=%d-", &from)
		}
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(s.content)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.content)-1, len(s.content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	s.send(w, r, from)
}

// send sends the file from an offset on, piece by piece.
func (s *source) send(w http.ResponseWriter, r *http.Request, from int) {
	for at := from; at < len(s.content); at += pieceBytes {
		until := min(at+pieceBytes, len(s.content))
		if !s.pass(w, r, until) {
			return
		}
		if s.pace > 0 {
			<-time.After(s.pace)
		}
		n, err := w.Write(s.content[at:until])
		s.mu.Lock()
		s.sent += int64(n)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// pass waits at the gates before an offset, and reports whether the way is open.
func (s *source) pass(w http.ResponseWriter, r *http.Request, until int) bool {
	s.mu.Lock()
	var closed *gate
	for _, g := range s.gates {
		if g.at < until && !g.isOpen() {
			closed = g
			break
		}
	}
	s.mu.Unlock()
	if closed == nil {
		return true
	}
	_ = http.NewResponseController(w).Flush()
	closed.arrive()
	select {
	case <-closed.open:
		return s.pass(w, r, until)
	case <-r.Context().Done():
		return false
	}
}

func (g *gate) isOpen() bool {
	select {
	case <-g.open:
		return true
	default:
		return false
	}
}
