package source

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sluice/pkg/events"
)

// serveRedirects answers /n with a redirect to /n-1 and /0 with the request's Authorization.
func serveRedirects(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var left int
		fmt.Sscanf(r.URL.Path, "/%d", &left)
		if left == 0 {
			io.WriteString(w, r.Header.Get("Authorization"))
			return
		}
		statuses := []int{301, 302, 303, 307, 308}
		w.Header().Set("Location", fmt.Sprintf("/%d", left-1))
		w.WriteHeader(statuses[left%len(statuses)])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func redirectTo(t *testing.T, location string) string {
	t.Helper()
	return serveText(t, "HTTP/1.1 302 Found\r\nLocation: "+location+"\r\nContent-Length: 0\r\n\r\n")
}

func TestRedirectsAreLimited(t *testing.T) {
	server := serveRedirects(t)
	body := open(t, newSource(t), server+"/5")
	if body.Name() != "5" {
		t.Errorf("Name() = %q, want the requested one", body.Name())
	}
	wantFailure(t, openErr(t, newSource(t), server+"/6"), events.CodeSourceRedirects, server+"/6", "more than 5")

	none := newSource(t, func(c *Config) { c.Redirects = 0 })
	wantFailure(t, openErr(t, none, server+"/1"), events.CodeSourceRedirects, "more than 0")
}

func TestRedirectsStayWithinHTTP(t *testing.T) {
	tests := []struct{ location, part string }{
		{"ftp://files.test/f.csv", "neither an http nor an https"},
		{"file:///etc/passwd", "neither an http nor an https"},
		{"data:text/csv,a", "neither an http nor an https"},
		{"http://", "names no host"},
		{"http://files.test:99999/", "port"},
		{"http://%zz/", "without a valid Location"},
		{"", "without a valid Location"},
	}
	for _, test := range tests {
		t.Run(test.location, func(t *testing.T) {
			url := redirectTo(t, test.location)
			wantFailure(t, openErr(t, newSource(t), url), events.CodeSourceRedirects, url, test.part)
		})
	}
}

// TestRedirectIsTold holds that a failure of an address that the user does not know names the one that led there.
func TestRedirectIsTold(t *testing.T) {
	url := redirectTo(t, "http://10.0.0.1/inner.csv")
	wantFailure(t, openErr(t, newSource(t), url), events.CodeSourceForbidden, url+" redirects: http://10.0.0.1/inner.csv is not on")
}

func TestRedirectsKeepTLS(t *testing.T) {
	var location string
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			io.WriteString(w, "ok")
			return
		}
		http.Redirect(w, r, location, http.StatusFound)
	}))
	defer secure.Close()
	h := newSource(t)
	h.web.transport.TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig

	location = serveRedirects(t) + "/0"
	wantFailure(t, openErr(t, h, secure.URL), events.CodeSourceRedirects, "from https to http")

	open(t, h, redirectTo(t, secure.URL+"/file"))
}

func TestRedirectsToAnotherHostTellItNothing(t *testing.T) {
	var other http.Header
	second := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { other = r.Header }))
	defer second.Close()
	first := redirectTo(t, strings.Replace(second.URL, "://", "://location:own@", 1))

	open(t, newSource(t), strings.Replace(first, "://", "://ann:secret@", 1))
	second.Close() // waits for the handler
	if other == nil {
		t.Fatal("the other host was not asked")
	}
	for name := range other {
		switch name {
		case "Accept", "Accept-Encoding", "Connection", "User-Agent":
		default:
			t.Errorf("the other host got %s: %s", name, other.Get(name))
		}
	}
}

func TestRedirectsBackDoNotRestoreAuthorization(t *testing.T) {
	first := serveRedirects(t)
	there := redirectTo(t, first+"/0")
	t.Run("same host keeps it", func(t *testing.T) {
		body := open(t, newSource(t), strings.Replace(first+"/3", "://", "://ann:secret@", 1))
		if data, err := io.ReadAll(body); err != nil || !strings.HasPrefix(string(data), "Basic ") {
			t.Errorf("authorization %q, %v", data, err)
		}
	})
	t.Run("another host ends it", func(t *testing.T) {
		body := open(t, newSource(t), strings.Replace(there, "://", "://ann:secret@", 1))
		if data, err := io.ReadAll(body); err != nil || len(data) != 0 {
			t.Errorf("authorization %q, %v", data, err)
		}
	})
}

func TestSameHost(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"http://files.test/a", "http://FILES.test./b", true},
		{"http://files.test", "https://files.test:443", true},
		{"http://files.test:80", "http://files.test", true},
		{"http://files.test:443", "https://files.test", false},
		{"http://files.test", "http://www.files.test", false},
		{"http://files.test", "http://files.test:8080", false},
	}
	for _, test := range tests {
		a, errA := url.Parse(test.a)
		b, errB := url.Parse(test.b)
		if errA != nil || errB != nil || sameHost(a, b) != test.want {
			t.Errorf("sameHost(%s, %s), want %v", test.a, test.b, test.want)
		}
	}
}
