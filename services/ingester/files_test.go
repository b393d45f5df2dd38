package ingester_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// halfway serves a file of numbered rows whose second half can be held back.
type halfway struct {
	url        string
	rows       int64
	head, tail string
	open       chan struct{} // closed when nothing is held back any more

	mu       sync.Mutex
	held     int // of the next requests, how many are held in the middle
	requests int
	left     chan struct{} // gets a token for each request that ends
}

// holding returns a file of which the first requests stop in the middle.
func holding(t testing.TB, requests int) *halfway {
	t.Helper()
	const rows = 20000
	h := &halfway{rows: rows, held: requests, open: make(chan struct{}), left: make(chan struct{}, 1000)}
	h.head, h.tail = numbered(rows)
	s := httptest.NewServer(h)
	h.url = s.URL + "/file.csv"
	t.Cleanup(s.Close)
	t.Cleanup(h.release)
	return h
}

// release lets all requests through.
func (h *halfway) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.open:
	default:
		close(h.open)
	}
}

func (h *halfway) asked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.requests
}

func (h *halfway) isHeld() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests++
	return h.requests <= h.held
}

func (h *halfway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() { h.left <- struct{}{} }()
	held := h.isHeld()
	w.Header().Set("Content-Length", strconv.Itoa(len(h.head)+len(h.tail)))
	_, _ = w.Write([]byte(h.head))
	if held {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-h.open:
		case <-r.Context().Done():
			return
		}
	}
	_, _ = w.Write([]byte(h.tail))
}

// served returns the URL of a small file of numbered rows, and their number.
func served(t testing.TB) (url string, rows int64) {
	t.Helper()
	h := holding(t, 0)
	return h.url, h.rows
}

// missing returns a URL without a file.
func missing(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.URL + "/file.csv"
}
