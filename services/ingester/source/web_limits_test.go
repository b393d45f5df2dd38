package source

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestWebBodiesThatNobodyReads have no end, and are not waited for: the status says it all.
func TestWebBodiesThatNobodyReads(t *testing.T) {
	web := testenv.StartWeb(t)
	web.On("/f.csv", testenv.File(file))
	for name, tt := range map[string]struct {
		status int
		code   events.Code // "": the file is opened
	}{
		"redirect": {302, ""}, "not found": {404, events.CodeSourceNotFound}, "refused": {403, events.CodeSourceRefused},
		"busy": {503, events.CodeSourceUnavailable}, "part": {206, events.CodeSourceUnsupported},
	} {
		for end, step := range map[string]testenv.Step{
			"endless": testenv.Endless("x"), "stalled": testenv.Hang, "trickling": testenv.Trickle("x", time.Millisecond),
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				url := web.On("/", testenv.Answer{testenv.Head(tt.status, "Location: /f.csv", "Content-Length: 1000000000"), step})
				h := newSource(t, func(c *Config) { c.Header, c.StallWindow = time.Minute, time.Minute })
				if tt.code == "" {
					wantRest(t, open(t, h, url), file)
				} else {
					wantFailure(t, openErr(t, h, url), tt.code)
				}
			})
		}
	}
}

// TestWebHeadersThatTakeTheirTime come byte by byte, or answer by answer.
func TestWebHeadersThatTakeTheirTime(t *testing.T) {
	for name, answer := range map[string]testenv.Answer{
		"status":      {testenv.Trickle("H", 5*time.Millisecond)},
		"field":       {testenv.Send("HTTP/1.1 200 OK\r\nX: "), testenv.Trickle("x", 5*time.Millisecond)},
		"fields":      {testenv.Send("HTTP/1.1 200 OK\r\n"), testenv.Trickle("X: y\r\n", 5*time.Millisecond)},
		"processing":  {testenv.Trickle("HTTP/1.1 102 Processing\r\n\r\n", 5*time.Millisecond)},
		"early hints": {testenv.Trickle("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 5*time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			web := testenv.StartWeb(t)
			h := newSource(t, func(c *Config) { c.Header = 100 * time.Millisecond })
			wantFailure(t, openErr(t, h, web.On("/f.csv", answer)), events.CodeSourceUnreachable, "does not answer in time")
			wantGETs(t, web, 1)
		})
	}
}

// TestWebBodiesThatNeverEnd fail with the limit's name, before they are large.
func TestWebBodiesThatNeverEnd(t *testing.T) {
	zeros, letters := testenv.Gzip(t, strings.Repeat("0", 1<<20)), testenv.Gzip(t, file)
	for name, tt := range map[string]struct {
		step testenv.Step
		code events.Code
		part string
	}{
		"text":                       {testenv.Endless("a,b\n"), events.CodeSourceTooLarge, "SLUICE_SOURCE_BYTES"},
		"members of gzip":            {testenv.Endless(letters), events.CodeSourceTooLarge, "SLUICE_SOURCE_TEXT_BYTES"},
		"members of a bomb":          {testenv.Endless(zeros), events.CodeCompressionRatio, "SLUICE_SOURCE_RATIO"},
		"members of nothing":         {testenv.Endless(testenv.Gzip(t, "")), events.CodeSourceTooLarge, "SLUICE_SOURCE_BYTES"},
		"text, too slow":             {testenv.Trickle("a,b\n", 10*time.Millisecond), events.CodeSourceStalled, "less than 1 KiB per second"},
		"members, too slow":          {testenv.Trickle(testenv.Gzip(t, ""), 50*time.Millisecond), events.CodeSourceStalled, "less than 1 KiB per second"},
		"nothing":                    {testenv.Hang, events.CodeSourceStalled, "stopped at 0 bytes"},
		"the beginning of gzip":      {testenv.Answer{testenv.Send("\x1f"), testenv.Hang}.Do, events.CodeSourceStalled, "stopped at 1 bytes"},
		"the middle of gzip":         {testenv.Answer{testenv.Send(letters[:50]), testenv.Hang}.Do, events.CodeSourceStalled, "stopped at 50 bytes"},
		"chunks":                     {chunks("abc"), events.CodeSourceTooLarge, "SLUICE_SOURCE_BYTES"},
		"chunks with an endless end": {testenv.Answer{testenv.Chunk("a\n"), testenv.Send("0\r\n"), testenv.Endless("X: y\r\n")}.Do, events.CodeSourceTruncated, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fields := []string{"Content-Type: text/csv"}
			if strings.HasPrefix(name, "chunks") {
				fields = append(fields, "Transfer-Encoding: chunked")
			}
			h := newSource(t, func(c *Config) {
				c.Size, c.TextSize, c.StallWindow = 1<<20, 1<<20, 300*time.Millisecond
				if tt.code == events.CodeCompressionRatio {
					c.TextSize = 1 << 40
				}
			})
			url := testenv.StartWeb(t).On("/f.csv", testenv.Answer{testenv.Head(200, fields...), tt.step})
			wantFailure(t, fetchErr(t, h, url), tt.code, tt.part)
		})
	}
}

func chunks(text string) testenv.Step { return testenv.Endless("3\r\n" + text + "\r\n") }
