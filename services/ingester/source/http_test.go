package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

func TestOpenReadsTheWholeFileWithOneGET(t *testing.T) {
	var requests []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r)
		io.WriteString(w, "a,b\n1,2\n")
	}))
	defer server.Close()

	body := open(t, newSource(t), server.URL+"/dir/trips%20data.csv?sig=1#part")
	if size, ok := body.Size(); size != 8 || !ok {
		t.Errorf("Size() = %d, %v; want 8, true", size, ok)
	}
	if body.Name() != "trips data.csv" {
		t.Errorf("Name() = %q", body.Name())
	}
	data, err := io.ReadAll(body)
	if err != nil || string(data) != "a,b\n1,2\n" {
		t.Errorf("read %q, %v", data, err)
	}
	if want := "sha256:492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470"; body.Checksum() != want {
		t.Errorf("Checksum() = %s", body.Checksum())
	}
	server.Close() // waits for the handler
	if len(requests) != 1 || requests[0].Method != http.MethodGet {
		t.Fatalf("requests %v, want one GET", requests)
	}
	if requests[0].RequestURI != "/dir/trips%20data.csv?sig=1" {
		t.Errorf("request for %s", requests[0].RequestURI)
	}
	header := requests[0].Header
	for name, want := range map[string]string{"Accept-Encoding": "identity", "User-Agent": "sluice", "Authorization": ""} {
		if header.Get(name) != want {
			t.Errorf("request with %s: %q, want %q", name, header.Get(name), want)
		}
	}
}

// TestHeadersMaySelectTheFile holds that the same date and length are no proof of the same file where headers were sent: they may
// name a tenant.
func TestHeadersMaySelectTheFile(t *testing.T) {
	for header, want := range map[string]bool{"ETag: \"1\"": true, "Last-Modified: " + old + "\r\nDate: " + time.Now().UTC().Format(http.TimeFormat): false} {
		url := serveText(t, ok+header+"\r\nContent-Length: 2\r\n\r\nok")
		of := func(tenant string) Validator {
			body, err := newSource(t).Open(t.Context(), Request{URL: url, Headers: map[string]string{"X-Tenant": tenant}})
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			return body.Validator()
		}
		if got := of("one").Proves(of("two")); got != want {
			t.Errorf("%s: proven %t", header, got)
		}
	}
}

func TestOpenSendsUserinfoAsBasicAuthorization(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprintf(w, "%s:%s", user, password)
	}))
	defer server.Close()

	body := open(t, newSource(t), strings.Replace(server.URL, "://", "://ann:s%40cret@", 1))
	if data, err := io.ReadAll(body); err != nil || string(data) != "ann:s@cret" {
		t.Errorf("server saw %q, %v", data, err)
	}
}

func TestOpenUsesNoProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the proxy was asked")
	}))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	file := serveText(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

	h := newSource(t)
	h.web.dialer.resolver = nameServer(t, map[string]string{"files.test": "127.0.0.1"})
	body := open(t, h, strings.Replace(file, "127.0.0.1", "files.test", 1))
	if data, err := io.ReadAll(body); err != nil || string(data) != "ok" {
		t.Errorf("read %q, %v", data, err)
	}
}

func TestOpenRefusesAddresses(t *testing.T) {
	tests := []struct{ url, part string }{
		{"", "not an absolute URL"},
		{"/data/trips.csv", `"/data/trips.csv" is not an absolute URL`},
		{"//files.test/trips.csv", "not an absolute URL"},
		{"ftp://files.test/trips.csv", "ftp://files.test/trips.csv is neither"},
		{"data:text/csv,a", `"data:text/csv,a" is neither`},
		{"http:trips.csv", "names no host"},
		{"http://:80/trips.csv", "names no host"},
		{"http://files.test:65536/", "port"},
		{"http://files.test:0/", "port"},
		{"http://files.test:x/", `"http://files.test:x/" is not a valid URL`},
		{"http://files test/", "not a valid URL"},
		{"http://a\x00b/", "not a valid URL"},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			wantFailure(t, openErr(t, newSource(t), test.url), events.CodeSourceUnsupported, test.part)
		})
	}
}

func TestOpenReturnsTheContextsError(t *testing.T) {
	asked := make(chan struct{})
	url := serveRaw(t, func(conn net.Conn) {
		close(asked)
		io.Copy(io.Discard, conn)
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(errors.New("the user changed their mind"))
	}()
	_, err := newSource(t).Open(ctx, Request{URL: url})
	var failure *events.Failure
	if !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Errorf("cancelled: error %v", err)
	}

	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	if _, err := newSource(t).Open(late, Request{URL: url}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too late: error %v", err)
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	tests := map[string]func(*Config){
		"10.0.0.0/99":                func(c *Config) { c.Allow = []string{"localhost", "10.0.0.0/99"} },
		"SLUICE_SOURCE_STALL_RATE":   func(c *Config) { c.StallRate = 0 },
		"SLUICE_SOURCE_CONNECT_TIME": func(c *Config) { c.Connect = -1 },
		"SLUICE_SOURCE_REDIRECTS":    func(c *Config) { c.Redirects = -1 },
		"a\\nb":                      func(c *Config) { c.UserAgent = "a\nb" },
	}
	for part, change := range tests {
		cfg := DefaultConfig()
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one that names %s", err, part)
		}
	}
}
