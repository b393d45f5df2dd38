package source

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

func TestOpenJudgesTheStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
	}))
	defer server.Close()
	codes := map[events.Code][]int{
		events.CodeSourceNotFound:    {404, 410},
		events.CodeSourceRefused:     {400, 401, 402, 403, 405, 406, 407, 409, 416, 418, 451, 499},
		events.CodeSourceUnavailable: {408, 425, 429, 500, 501, 502, 503, 504, 599},
		events.CodeSourceUnsupported: {201, 202, 203, 204, 206, 226, 300, 304, 305, 600, 999},
	}
	h := newSource(t)
	for code, statuses := range codes {
		for _, status := range statuses {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				url := fmt.Sprintf("%s/%d", server.URL, status)
				wantFailure(t, openErr(t, h, url), code, url, fmt.Sprint(status))
			})
		}
	}
}

func TestOpenJudgesTheAnswer(t *testing.T) {
	tests := []struct {
		name, answer string
		code         events.Code
		part         string
	}{
		{"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", events.CodeSourceUnsupported, "two different lengths"},
		{"bad length", ok + "Content-Length: -1\r\n\r\nabc", events.CodeSourceUnsupported, "valid HTTP"},
		{"brotli", ok + "Content-Encoding: BR\r\nContent-Length: 1\r\n\r\na", events.CodeSourceUnsupported, "br Content-Encoding"},
		{"odd coding", ok + "Content-Encoding: <x>\r\nContent-Length: 1\r\n\r\na", events.CodeSourceUnsupported, "an unknown Content-Encoding"},
		{"two codings", ok + "Content-Encoding: identity\r\nContent-Encoding: br\r\n\r\na", events.CodeSourceUnsupported, "Content-Encoding"},
		{"odd transfer coding", ok + "Transfer-Encoding: gzip\r\n\r\na", events.CodeSourceUnsupported, "valid HTTP"},
		{"switching", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", events.CodeSourceUnsupported, "101"},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", events.CodeSourceUnsupported, "valid HTTP"},
		{"a broken header", ok + "no colon\r\n\r\n", events.CodeSourceUnsupported, "valid HTTP"},
		{"nothing", "", events.CodeSourceUnreachable, "closes the connection"},
		{"half a header", ok + "Content-Type: text/csv\r\n", events.CodeSourceUnreachable, "closes the connection"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantFailure(t, openErr(t, newSource(t), serveText(t, test.answer)+"/f.csv"), test.code, "/f.csv", test.part)
		})
	}
}

func TestOpenAcceptsIdentity(t *testing.T) {
	open(t, newSource(t), serveText(t, "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 1\r\n\r\na"))
}

func TestOpenLimitsTheHeader(t *testing.T) {
	bombs := map[string]string{
		"many fields":   serveEndless(t, ok, "X-Field: value\r\n"),
		"one field":     serveEndless(t, ok+"X-Field: ", strings.Repeat("x", 1<<10)),
		"interim":       serveEndless(t, "", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
		"no status":     serveEndless(t, "", "x"),
		"just too long": serveText(t, ok+"X-Field: "+strings.Repeat("x", 256<<10)+"\r\n\r\n"),
	}
	for name, url := range bombs {
		t.Run(name, func(t *testing.T) {
			wantFailure(t, openErr(t, newSource(t), url), events.CodeSourceUnsupported, "larger than 256 KiB")
		})
	}
	open(t, newSource(t), serveText(t, ok+"X-Field: "+strings.Repeat("x", 255<<10)+"\r\n\r\n"))
}

func TestOpenLimitsTheTimeOfTheHeader(t *testing.T) {
	slow := map[string]string{
		"no header":   serveThenHang(t, ""),
		"half of one": serveThenHang(t, "HTTP/1.1 200 OK\r\nContent-Le"),
		"interim":     serveThenHang(t, "HTTP/1.1 102 Processing\r\n\r\n"),
	}
	for name, url := range slow {
		t.Run(name, func(t *testing.T) {
			h := newSource(t, func(c *Config) { c.Header = 30 * time.Millisecond })
			wantFailure(t, openErr(t, h, url), events.CodeSourceUnreachable, "does not answer in time")
		})
	}
}

func TestRetryAfterOfAnAnswer(t *testing.T) {
	h := newSource(t)
	for _, status := range []string{"408 x", "425 x", "429 x", "500 x", "503 x"} {
		err := openErr(t, h, serveText(t, "HTTP/1.1 "+status+"\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
		if got := RetryAfter(fmt.Errorf("loading: %w", err)); got != 2*time.Minute {
			t.Errorf("%s: RetryAfter = %s", status, got)
		}
	}
	err := openErr(t, h, serveText(t, "HTTP/1.1 404 x\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
	if got := RetryAfter(err); got != 0 {
		t.Errorf("404: RetryAfter = %s", got)
	}
	if RetryAfter(nil) != 0 || RetryAfter(errors.New("x")) != 0 {
		t.Error("RetryAfter of another error is not 0")
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"7", 7 * time.Second},
		{"3600", time.Hour},
		{"3601", time.Hour},
		{"9223372037", time.Hour}, // overflows a Duration
		{"99999999999999999999999", time.Hour},
		{"-5", 0},
		{"1.5", 0},
		{"soon", 0},
		{"Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		{"Sun, 01 Mar 2026 11:00:00 GMT", 0},
		{"Mon, 02 Mar 2026 12:00:00 GMT", time.Hour},
		{"Sunday, 01-Mar-26 12:00:30 GMT", 30 * time.Second},
		{"Sun Mar  1 12:00:30 2026", 30 * time.Second},
	}
	for _, test := range tests {
		if got := parseRetryAfter(test.value, now); got != test.want {
			t.Errorf("parseRetryAfter(%q) = %s, want %s", test.value, got, test.want)
		}
	}
}
