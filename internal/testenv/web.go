package testenv

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// Web is a web server that answers as it is told, well or badly, and keeps what it was asked. It hangs up after each
// answer.
type Web struct {
	URL    string // without a path
	server *httptest.Server

	mu          sync.Mutex
	answers     map[string][]Answer // by path, those to come
	requests    []*http.Request
	connections int
	open        map[net.Conn]struct{} // nil when the test has ended
}

// StartWeb serves until the end of the test.
func StartWeb(t testing.TB) *Web {
	t.Helper()
	return StartWebAt(t, "127.0.0.1:0")
}

// StartWebAt serves at an address of the caller's choice.
func StartWebAt(t testing.TB, address string) *Web {
	t.Helper()
	w := newWeb(t, address)
	w.server.Start()
	w.URL = w.server.URL
	return w
}

// StartSecureWeb serves over TLS, with a certificate that nobody knows but [Web.Trust].
func StartSecureWeb(t testing.TB) *Web {
	t.Helper()
	w := newWeb(t, "127.0.0.1:0")
	w.server.StartTLS()
	w.URL = w.server.URL
	return w
}

// Port is where the server listens.
func (w *Web) Port() uint16 {
	address, _ := netip.ParseAddrPort(w.server.Listener.Addr().String()) // it is one
	return address.Port()
}

func newWeb(t testing.TB, address string) *Web {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("listening for a web server: %v", err)
	}
	w := &Web{answers: make(map[string][]Answer), open: make(map[net.Conn]struct{})}
	w.server = httptest.NewUnstartedServer(w)
	_ = w.server.Listener.Close() // its own choice
	w.server.Listener = l
	w.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	w.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.connections++
		}
	}
	t.Cleanup(w.close)
	return w
}

func (w *Web) close() {
	w.mu.Lock()
	for conn := range w.open {
		_ = conn.Close()
	}
	w.open = nil
	w.mu.Unlock()
	w.server.CloseClientConnections()
	w.server.Close()
}

// On says how the requests for a path are answered from now on, one after the other; the last answer is given again and
// again. It returns the path's URL. Other paths are answered with 404.
func (w *Web) On(path string, answers ...Answer) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[path] = answers
	return w.URL + path
}

// Requests returns the requests so far, in their order.
func (w *Web) Requests() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// Asked returns the values of a header in the requests so far, "" where there was none.
func (w *Web) Asked(header string) []string {
	var values []string
	for _, r := range w.Requests() {
		values = append(values, r.Header.Get(header))
	}
	return values
}

// Connections returns how many connections were made, be it that nothing was asked on them.
func (w *Web) Connections() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connections
}

// Trust is the configuration of a client that takes the certificate of a secure server.
func (w *Web) Trust() *tls.Config {
	known := x509.NewCertPool()
	known.AddCert(w.server.Certificate())
	return &tls.Config{RootCAs: known, MinVersion: tls.VersionTLS12}
}

func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	answer := w.next(r)
	conn, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if !w.keep(conn) {
		return
	}
	defer w.forget(conn)
	c := &Call{Request: r, conn: conn, left: make(chan struct{})}
	go c.watch(buffered)
	_ = answer.Do(c) // there is nobody to tell
}

func (w *Web) next(r *http.Request) Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r)
	answers := w.answers[r.URL.Path]
	switch {
	case len(answers) == 0:
		return Status(http.StatusNotFound)
	case len(answers) > 1:
		w.answers[r.URL.Path] = answers[1:]
	}
	return answers[0]
}

func (w *Web) keep(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open != nil {
		w.open[conn] = struct{}{}
	}
	return w.open != nil
}

func (w *Web) forget(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, conn)
}
