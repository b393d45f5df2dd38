package source

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// wantGETs checks that a server was asked so many times, each time with a GET that does not say where it comes from.
func wantGETs(t *testing.T, web *testenv.Web, count int) {
	t.Helper()
	requests := web.Requests()
	for _, r := range requests {
		if r.Method != http.MethodGet || r.Header.Get("Referer") != "" || r.Header.Get("Origin") != "" {
			t.Errorf("asked with %s %s, Referer %q", r.Method, r.URL.Path, r.Header.Get("Referer"))
		}
	}
	if len(requests) != count {
		t.Errorf("asked %d times, want %d", len(requests), count)
	}
}

// TestWebMethod has one GET for each answer, whatever that is.
func TestWebMethod(t *testing.T) {
	for name, answer := range map[string]testenv.Answer{
		"whole":         testenv.File(file),
		"whole, ranged": testenv.Ranged(file, "ETag: "+tag),
		"chunked":       {testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(file), testenv.Chunk("")},
		"compressed":    testenv.File(testenv.Gzip(t, file), "Content-Encoding: gzip"),
		"web page":      testenv.File("<html>", "Content-Type: text/html"),
		"empty":         testenv.File(""),
		"cut":           {testenv.Head(200, "Content-Length: 9"), testenv.Send("x")},
		"reset":         {testenv.Reset},
		"no answer":     {},
		"half a header": {testenv.Send("HTTP/1.1 200 OK\r\nContent-")},
		"not found":     testenv.Status(404),
		"refused":       testenv.Status(401, `WWW-Authenticate: Basic realm="x"`, `WWW-Authenticate: Digest realm="x", nonce="y"`),
		"proxy refuses": testenv.Status(407, `Proxy-Authenticate: Basic realm="x"`),
		"method":        testenv.Status(405, "Allow: HEAD"),
		"busy":          testenv.Status(503, "Retry-After: 0"),
		"too early":     testenv.Status(425),
		"early hints":   append(testenv.Answer{testenv.Head(103, "Link: </x>")}, testenv.File(file)...),
		"upgrade":       testenv.Status(426, "Upgrade: h2c", "Connection: Upgrade"),
		"refresh":       testenv.File(file, "Refresh: 0; url=/other", "Alt-Svc: h2=\":443\"", "Link: </other>; rel=canonical"),
	} {
		t.Run(name, func(t *testing.T) {
			web := testenv.StartWeb(t)
			url := strings.Replace(web.On("/f.csv", answer), "://", "://ann:secret@", 1)
			if body, err := newSource(t).Open(t.Context(), Request{URL: url}); err == nil {
				_, _ = io.Copy(io.Discard, body)
				body.Close()
			}
			wantGETs(t, web, 1)
		})
	}
}

func TestWebRedirectLoops(t *testing.T) {
	first, second := testenv.StartWeb(t), testenv.StartWeb(t)
	for name, hops := range map[string]struct{ first, second string }{
		"to itself":         {"/f.csv", ""},
		"between two hosts": {second.URL + "/f.csv", first.URL + "/f.csv"},
		"with a query":      {"/f.csv?again", ""},
		"to a fragment":     {"#again", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(first.Requests()) + len(second.Requests())
			url := first.On("/f.csv", testenv.Redirect(302, hops.first))
			second.On("/f.csv", testenv.Redirect(307, hops.second))
			wantFailure(t, openErr(t, newSource(t), url), events.CodeSourceRedirects, "more than 5")
			if asked := len(first.Requests()) + len(second.Requests()) - before; asked != 6 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestWebRedirectChains(t *testing.T) {
	plain, secure := testenv.StartWeb(t), testenv.StartSecureWeb(t)
	h := newSource(t)
	h.web.transport.TLSClientConfig = secure.Trust()
	end := secure.On("/f.csv", testenv.File(file))
	for n := range 5 {
		end = []*testenv.Web{secure, plain}[n/3].On(fmt.Sprint("/", n), testenv.Redirect([]int{301, 302, 303, 307, 308}[n], end))
	}
	wantRest(t, open(t, h, end), file)
	wantGETs(t, plain, 2)
	wantGETs(t, secure, 4)

	secure.On("/down", testenv.Redirect(302, plain.On("/f.csv", testenv.File(file))))
	wantFailure(t, openErr(t, h, plain.On("/up", testenv.Redirect(302, secure.URL+"/down"))), events.CodeSourceRedirects, "from https to http")
	wantGETs(t, plain, 3)
}

// TestWebBusyThenNot has a file that is to be had when its server said.
func TestWebBusyThenNot(t *testing.T) {
	soon := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
	for name, tt := range map[string]struct {
		status int
		after  []string
		least  time.Duration
		most   time.Duration
	}{
		"seconds":             {503, []string{"Retry-After: 7"}, 7 * time.Second, 7 * time.Second},
		"date":                {429, []string{"Retry-After: " + soon}, 80 * time.Second, 90 * time.Second},
		"past":                {503, []string{"Retry-After: Sun, 01 Mar 2020 12:00:00 GMT"}, 0, 0},
		"far away":            {429, []string{"Retry-After: 99999999999999999999"}, time.Hour, time.Hour},
		"two":                 {503, []string{"Retry-After: 3", "Retry-After: 9"}, 3 * time.Second, 3 * time.Second},
		"nonsense":            {502, []string{"Retry-After: soon"}, 0, 0},
		"none":                {500, nil, 0, 0},
		"behind the timeouts": {504, []string{"Retry-After: 1"}, time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			web := testenv.StartWeb(t)
			url := web.On("/f.csv", testenv.Status(tt.status, tt.after...), testenv.File(file))
			h := newSource(t)
			err := openErr(t, h, url)
			wantFailure(t, err, events.CodeSourceUnavailable, fmt.Sprint(tt.status))
			if got := RetryAfter(err); got < tt.least || got > tt.most {
				t.Errorf("RetryAfter = %s", got)
			}
			wantRest(t, open(t, h, url), file)
			wantGETs(t, web, 2)
		})
	}
}
