package source

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

func TestOpenCannotConnect(t *testing.T) {
	mute := serveConns(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	tests := []struct {
		name, url string
		code      events.Code
		part      string
	}{
		{"refused", closedAddress(t) + "/f.csv", events.CodeSourceUnreachable, "/f.csv refuses the connection"},
		{"no such name", "http://gone.test/f.csv", events.CodeSourceNotFound, "host of http://gone.test/f.csv does not exist"},
		{"unknown authority", serveTLS(t), events.CodeSourceUnsupported, "certificate"},
		{"no TLS", serveNoTLS(t), events.CodeSourceUnsupported, "without TLS"},
		{"mute name server", "http://mute.test/f.csv", events.CodeSourceUnreachable, "name servers"},
		{"no handshake", strings.Replace(mute, "http", "https", 1), events.CodeSourceUnreachable, "in time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newSource(t, func(c *Config) {
				if test.code == events.CodeSourceUnreachable {
					c.Connect = 100 * time.Millisecond
				}
			})
			h.web.dialer.resolver = nameServer(t, nil)
			wantFailure(t, openErr(t, h, test.url), test.code, test.part)
		})
	}
}

// serveTLS runs a server with a certificate that nobody knows.
func serveTLS(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// serveNoTLS returns the https URL of a server that speaks plain HTTP, to a TLS hello too.
func serveNoTLS(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "https", 1)
}

func TestFailuresHoldNoSecret(t *testing.T) {
	h := newSource(t, func(c *Config) {
		c.Connect, c.Header, c.StallWindow = 100*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
		c.Size = 1000
	})
	h.web.dialer.resolver = nameServer(t, map[string]string{"private.test": "10.0.0.1"})
	echo := "secret-user secret-password ?sig=secret-query"
	location := func(url string) string {
		return redirectTo(t, strings.Replace(url, "://", "://secret-user:secret-password@", 1)+"/f?secret-query#secret-fragment")
	}
	asked := map[string]string{
		"refused":           closedAddress(t),
		"no such name":      "http://gone.test",
		"mute name server":  "http://mute.test",
		"forbidden":         "http://private.test",
		"forbidden port":    "http://93.184.215.14:8080",
		"scheme":            "ftp://files.test",
		"port":              "http://files.test:99999",
		"bad port":          "http://files.test:x",
		"bad escape":        "http://files.test%zz",
		"bad host":          "http://files test",
		"no host":           "http://",
		"certificate":       serveTLS(t),
		"no TLS":            serveNoTLS(t),
		"not found":         serveText(t, "HTTP/1.1 404 "+echo+"\r\nContent-Length: 0\r\n\r\n"),
		"unavailable":       serveText(t, "HTTP/1.1 503 "+echo+"\r\nRetry-After: "+echo+"\r\nContent-Length: 0\r\n\r\n"),
		"partial":           serveText(t, "HTTP/1.1 206 "+echo+"\r\nContent-Length: 0\r\n\r\n"),
		"malformed":         serveText(t, echo+"\r\n\r\n"),
		"bad header":        serveText(t, ok+echo+"\r\n\r\n"),
		"bad length":        serveText(t, ok+"Content-Length: "+echo+"\r\n\r\n"),
		"two lengths":       serveText(t, ok+"Content-Length: 1\r\nContent-Length: "+echo+"\r\n\r\n"),
		"coding":            serveText(t, ok+"Content-Encoding: "+echo+"\r\n\r\n"),
		"transfer coding":   serveText(t, ok+"Transfer-Encoding: "+echo+"\r\n\r\n"),
		"slow header":       serveThenHang(t, ""),
		"cut header":        serveText(t, ok),
		"header bomb":       serveEndless(t, ok, echo+": x\r\n"),
		"truncated":         serveText(t, ok+"Content-Length: 9\r\n\r\nx"),
		"broken chunk":      serveText(t, ok+"Transfer-Encoding: chunked\r\n\r\n"+echo+"\r\n"),
		"stalled":           serveThenHang(t, ok+"Content-Length: 9\r\n\r\nx"),
		"too large":         serveEndless(t, ok+"\r\n", "x"),
		"too many":          redirectTo(t, "?secret-query"),
		"to a bad scheme":   location("ftp://files.test"),
		"to no URL":         location("http://files.test:x"),
		"to a closed port":  location(closedAddress(t)),
		"to no such name":   location("http://gone.test"),
		"to a private name": location("http://private.test"),
		"to not found":      location(serveText(t, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")),
		"to a truncated":    location(serveText(t, ok+"Content-Length: 9\r\n\r\nx")),
		"to a stalled":      location(serveThenHang(t, ok+"Content-Length: 9\r\n\r\nx")),
	}
	for name, url := range asked {
		t.Run(name, func(t *testing.T) {
			full := strings.Replace(url, "://", "://secret-user:secret-password@", 1) + "/f.csv?sig=secret-query#secret-fragment"
			wantNoSecret(t, fetchErr(t, h, full))
		})
	}
	for _, raw := range []string{
		"secret-user:secret-password@files.test/f.csv", "//secret-user:secret-password@files.test/f.csv",
		"http://secret-user:secret?password@files.test/", "/f.csv?secret-query", "f.csv#secret-fragment",
		"http:secret-user:secret-password@files.test", "secret-user:secret\npassword@files.test",
	} {
		t.Run(raw, func(t *testing.T) { wantNoSecret(t, fetchErr(t, h, raw)) })
	}
}

// wantNoSecret checks every text that err and its causes can be printed as.
func wantNoSecret(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*events.Failure](err); !ok {
		t.Errorf("error %v, want a failure", err)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err)} {
			if strings.Contains(text, "secret") {
				t.Errorf("a secret in %q", text)
			}
		}
	}
}

func TestFailuresStayShort(t *testing.T) {
	long := "/" + strings.Repeat("x", 100_000)
	err := openErr(t, newSource(t), redirectTo(t, closedAddress(t)+long))
	wantFailure(t, err, events.CodeSourceUnreachable)
	if len(err.Error()) > 500 {
		t.Errorf("a failure of %d bytes", len(err.Error()))
	}
}

func TestOpenCutByAReset(t *testing.T) {
	url := serveRaw(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		conn.(*net.TCPConn).SetLinger(0) // so that closing resets
	})
	wantFailure(t, openErr(t, newSource(t), url), events.CodeSourceUnreachable, "closes the connection")
}
