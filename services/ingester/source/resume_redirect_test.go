package source

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// mirrors are two servers of one file; the first one redirects on request.
type mirrors struct {
	first, second *httptest.Server
	mu            sync.Mutex
	location      string   // where the first one redirects to; "" for nowhere
	asked         []string // which mirror, and with which Range and If-Range
}

func serveMirrors(t *testing.T) *mirrors {
	t.Helper()
	m := &mirrors{}
	serve := func(name string) *httptest.Server {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.mu.Lock()
			m.asked = append(m.asked, name+" "+r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
			location := m.location
			m.mu.Unlock()
			if name == "first" && location != "" {
				http.Redirect(w, r, location, http.StatusFound)
				return
			}
			standard(tag, "")(w, r)
		}))
		t.Cleanup(server.Close)
		return server
	}
	m.first, m.second = serve("first"), serve("second")
	return m
}

func (m *mirrors) redirect(location string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.location = location
}

func TestResumeIsRedirected(t *testing.T) {
	const part = " bytes=4000- " + tag
	tests := []struct {
		name      string
		was, then string // the paths at the second mirror that the first redirects to; "" for none
		offset    int64
		asked     []string // for the rest
	}{
		{"not at all", "", "", 4000, []string{"first" + part}},
		{"to the same", "/f.csv?sig=1", "/f.csv?sig=2", 4000, []string{"first  ", "second" + part}},
		{"to another host than before", "", "/f.csv", 0, []string{"first" + part, "second  "}},
		{"no longer", "/f.csv", "", 0, []string{"first  "}},
		{"to another path than before", "/v1.csv", "/v2.csv", 0, []string{"first  ", "second  "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := serveMirrors(t)
			to := func(path string) string {
				if path == "" {
					return ""
				}
				return m.second.URL + path
			}
			m.redirect(to(test.was))
			s := &twice{url: m.first.URL + "/f.csv"}
			at := s.readTo(t, readAt)

			m.redirect(to(test.then))
			m.asked = nil
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			if body.Offset() != test.offset {
				t.Errorf("starts at %d, want %d", body.Offset(), test.offset)
			}
			wantRest(t, body, file)
			m.mu.Lock()
			defer m.mu.Unlock()
			if !slices.Equal(m.asked, test.asked) {
				t.Errorf("asked %q, want %q", m.asked, test.asked)
			}
		})
	}
}

func TestResumeReturnsTheContextsError(t *testing.T) {
	const head = "HTTP/1.1 206 Partial Content\r\nETag: " + tag + "\r\nContent-Range: bytes 9999-9999/10000\r\n\r\n"
	for name, answer := range map[string]string{"header": "", "byte before the rest": head} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			url := serveRaw(t, func(conn net.Conn) {
				io.WriteString(conn, answer)
				cancel()
				io.Copy(io.Discard, conn)
			})
			first, err := parseTarget(url)
			if err != nil {
				t.Fatal(err)
			}
			was := Validator{ETag: tag, Length: int64(len(file)), Place: placeOf(first)}
			at := Point{Offset: int64(len(file)), Digest: digestOf(file), Was: was}
			if _, err := newSource(t).Resume(ctx, Request{URL: url}, at); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestValidatorBehindARedirect holds that a query which a redirect leads to is known to select what is sent.
func TestValidatorBehindARedirect(t *testing.T) {
	m := serveMirrors(t)
	for location, want := range map[string]bool{"": false, "/f.csv": false, "/f.csv?day=1": true} {
		if m.redirect(""); location != "" {
			m.redirect(m.second.URL + location)
		}
		if got := open(t, newSource(t), m.first.URL+"/f.csv?latest").Validator(); got.Queried != want {
			t.Errorf("redirected to %q: %+v", location, got)
		}
	}
}
