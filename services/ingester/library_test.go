package ingester_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// library serves one file whatever the address, and tells of it what it is told to.
type library struct {
	url string

	mu      sync.Mutex
	content string
	etag    string
	dated   bool // whether the date of the last change is told
	bare    bool // whether its length is not
	fails   int  // of the next requests, how many
	hold    chan struct{}
	asked   int
	sent    int // bytes
}

func (l *library) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	l.asked++
	content, etag, dated, bare, hold, fail := l.content, l.etag, l.dated, l.bare, l.hold, l.fails > 0
	l.fails = max(0, l.fails-1)
	l.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if fail {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	if dated {
		w.Header().Set("Last-Modified", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format(http.TimeFormat))
	}
	if bare {
		w.Header().Set("Connection", "close")
		w.Header().Set("Transfer-Encoding", "identity")
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	}
	for len(content) > 0 {
		n, err := w.Write([]byte(content[:min(len(content), 1<<16)]))
		l.mu.Lock()
		l.sent += n
		l.mu.Unlock()
		if content = content[n:]; err != nil {
			return
		}
	}
}

func lending(t testing.TB, l *library) *library {
	t.Helper()
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	l.url = s.URL + "/file.csv"
	return l
}

// change makes the file another one.
func (l *library) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
}

// was returns how often the file was asked for, and how much of it was sent, since the last call.
func (l *library) was() (asked, sent int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked, sent, l.asked, l.sent = l.asked, l.sent, 0, 0
	return asked, sent
}

func (e *env) awaitAsked(l *library) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "a request", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.asked == 0 {
			return errors.New("none yet")
		}
		return nil
	})
}
