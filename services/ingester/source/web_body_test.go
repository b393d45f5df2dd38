package source

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestWebTruncatedThreeWays loses a file to a length that is not reached, to a chunk that is missing and to a reset, each time
// further on, and goes on from there.
func TestWebTruncatedThreeWays(t *testing.T) {
	const etag = "ETag: " + tag
	rest := func(from int) string { return fmt.Sprintf("Content-Range: bytes %d-9999/10000", from) }
	read := make(chan struct{})
	web := testenv.StartWeb(t)
	url := web.On("/f.csv",
		testenv.Answer{testenv.Head(200, etag, "Content-Length: 10000"), testenv.Send(file[:4000])},
		testenv.Answer{testenv.Head(206, etag, rest(4000), "Transfer-Encoding: chunked"), testenv.Chunk(file[4000:6000])},
		testenv.Answer{testenv.Head(206, etag, rest(6000), "Content-Length: 4000"), testenv.Send(file[6000:8000]), testenv.Await(read), testenv.Reset},
		testenv.Ranged(file, etag))
	h, at := newSource(t), Point{}
	for _, lost := range []int64{4000, 6000, 8000} {
		body, err := h.Resume(t.Context(), Request{URL: url}, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, body, lost-at.Offset); err != nil {
			t.Fatal(err)
		}
		if lost == 8000 {
			close(read)
		}
		_, err = io.Copy(io.Discard, body)
		wantFailure(t, err, events.CodeSourceTruncated, fmt.Sprintf("after %d of 10000 bytes", lost))
		at = Point{Offset: body.Offset(), Digest: body.Digest(), Was: body.Validator()}
		body.Close()
	}
	body, err := h.Resume(t.Context(), Request{URL: url}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	wantRest(t, body, file)
	if ranges := web.Asked("Range"); !slices.Equal(ranges, []string{"", "bytes=4000-", "bytes=6000-", "bytes=8000-"}) {
		t.Errorf("asked for %q", ranges)
	}
}

// TestWebUnmarkedEnd tells the files whose end only the end of the connection marks.
func TestWebUnmarkedEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		answer   testenv.Answer
		verified bool
	}{
		"length":         {testenv.File(file), true},
		"chunked":        {testenv.Answer{testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(file), testenv.Chunk("")}, true},
		"chunked, named": {testenv.Answer{testenv.Head(200, "Transfer-Encoding: CHUNKED"), testenv.Chunk(file), testenv.Chunk("")}, true},
		"closed":         {testenv.Answer{testenv.Head(200), testenv.Send(file)}, false},
		"HTTP/1.0":       {testenv.Answer{testenv.Send("HTTP/1.0 200 OK\r\n\r\n" + file)}, false},
		"kept alive":     {testenv.Answer{testenv.Head(200, "Connection: keep-alive"), testenv.Send(file)}, false},
		"of a gzip":      {testenv.Answer{testenv.Head(200), testenv.Send(testenv.Gzip(t, file))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			body := open(t, newSource(t), testenv.StartWeb(t).On("/f.csv", tt.answer))
			text, err := io.ReadAll(body)
			if err != nil || string(text) != file || body.LengthVerified() != tt.verified {
				t.Errorf("read %d bytes, %v; LengthVerified() = %v", len(text), err, body.LengthVerified())
			}
		})
	}
}

// TestWebLengths has answers that do not agree with themselves on how long they are.
func TestWebLengths(t *testing.T) {
	const ok = ""
	for name, tt := range map[string]struct {
		fields []string
		code   events.Code // ok for none
	}{
		"equal":             {[]string{"Content-Length: 5", "Content-Length: 5"}, ok},
		"equal, spaced":     {[]string{"Content-Length: 5", "Content-Length:  5 "}, ok},
		"different":         {[]string{"Content-Length: 5", "Content-Length: 6"}, events.CodeSourceUnsupported},
		"shorter one last":  {[]string{"Content-Length: 6", "Content-Length: 5"}, events.CodeSourceUnsupported},
		"in a list":         {[]string{"Content-Length: 5, 6"}, events.CodeSourceUnsupported},
		"equal in a list":   {[]string{"Content-Length: 5, 5"}, events.CodeSourceUnsupported},
		"signed":            {[]string{"Content-Length: +5"}, events.CodeSourceUnsupported},
		"hexadecimal":       {[]string{"Content-Length: 0x5"}, events.CodeSourceUnsupported},
		"huge":              {[]string{"Content-Length: 99999999999999999999"}, events.CodeSourceUnsupported},
		"empty":             {[]string{"Content-Length: "}, events.CodeSourceUnsupported},
		"two codings":       {[]string{"Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}, events.CodeSourceUnsupported},
		"coding and length": {[]string{"Transfer-Encoding: gzip", "Content-Length: 5"}, events.CodeSourceUnsupported},
		"coding, identity":  {[]string{"Transfer-Encoding: identity", "Content-Length: 5"}, events.CodeSourceUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			url := testenv.StartWeb(t).On("/f.csv", testenv.Answer{testenv.Head(200, tt.fields...), testenv.Send("hello")})
			if tt.code != ok {
				wantFailure(t, openErr(t, newSource(t), url), tt.code, "/f.csv")
				return
			}
			wantRest(t, open(t, newSource(t), url), "hello")
		})
	}
	t.Run("chunks and a length", func(t *testing.T) { // the chunks count (RFC 9112, section 6.3)
		url := testenv.StartWeb(t).On("/f.csv", testenv.Answer{
			testenv.Head(200, "Content-Length: 2", "Transfer-Encoding: chunked"), testenv.Chunk("hello"), testenv.Chunk(""),
		})
		wantRest(t, open(t, newSource(t), url), "hello")
	})
}

// TestWebUnaskedPart has parts of a file for those who ask for all of it.
func TestWebUnaskedPart(t *testing.T) {
	for name, fields := range map[string][]string{
		"the whole":    {"Content-Range: bytes 0-9999/10000"},
		"without":      nil,
		"a beginning":  {"Content-Range: bytes 0-4999/10000"},
		"an end":       {"Content-Range: bytes 5000-9999/10000"},
		"multipart":    {"Content-Type: multipart/byteranges; boundary=x"},
		"other unit":   {"Content-Range: rows 0-9/10"},
		"with an ETag": {"Content-Range: bytes 0-9999/10000", "ETag: " + tag},
	} {
		t.Run(name, func(t *testing.T) {
			web := testenv.StartWeb(t)
			url := web.On("/f.csv", testenv.Answer{testenv.Head(206, append(fields, "Content-Length: 10000")...), testenv.Send(file)})
			wantFailure(t, openErr(t, newSource(t), url), events.CodeSourceUnsupported, "206")
			wantFailure(t, openErr(t, newSource(t), web.On("/", testenv.Redirect(302, url))), events.CodeSourceUnsupported, "206")
		})
	}
}

// TestWebCutBetweenMembers cuts a compressed file where it could end.
func TestWebCutBetweenMembers(t *testing.T) {
	first, second := testenv.Gzip(t, file[:5000]), testenv.Gzip(t, file[5000:])
	length := fmt.Sprint("Content-Length: ", len(first)+len(second))
	for name, tt := range map[string]struct {
		answer testenv.Answer
		want   string // "": an error
	}{
		"whole":          {testenv.File(first + second), file},
		"by a length":    {testenv.Answer{testenv.Head(200, length), testenv.Send(first)}, ""},
		"by a chunk":     {testenv.Answer{testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(first)}, ""},
		"by the hang-up": {testenv.Answer{testenv.Head(200), testenv.Send(first)}, file[:5000]}, // it cannot be told
	} {
		t.Run(name, func(t *testing.T) {
			text, err := io.ReadAll(open(t, newSource(t), testenv.StartWeb(t).On("/f.csv", tt.answer)))
			if tt.want == "" {
				wantFailure(t, err, events.CodeSourceTruncated)
			} else if err != nil || string(text) != tt.want {
				t.Errorf("read %d bytes, %v", len(text), err)
			}
		})
	}
}

func TestWebCharset(t *testing.T) {
	for field, want := range map[string]string{
		"":                       "",
		"Content-Type: text/csv": "",
		"Content-Type: text/csv; charset=utf-16le":     "utf-16le",
		`Content-Type: TEXT/CSV; Charset="UTF-16"`:     "UTF-16",
		"Content-Type: text/csv;charset=windows-1252":  "windows-1252",
		"Content-Type: application/gzip; charset=koi8": "koi8",
		"Content-Type: text/csv; charset=":             "",
		"Content-Type: ; charset=utf-8":                "",
		"Content-Type: text/csv; charset=a; charset=b": "",
	} {
		t.Run(field, func(t *testing.T) {
			fields := slices.DeleteFunc([]string{field}, func(f string) bool { return f == "" })
			utf16 := "\xff\xfea\x00\n\x00" // what is in it does not count
			body := open(t, newSource(t), testenv.StartWeb(t).On("/f.csv", testenv.File(utf16, fields...)))
			if body.Charset() != want {
				t.Errorf("Charset() = %q, want %q", body.Charset(), want)
			}
			wantRest(t, body, utf16)
		})
	}
}

func TestWebNameIsTheLastServers(t *testing.T) {
	web := testenv.StartWeb(t)
	end := web.On("/download", testenv.File(file, `Content-Disposition: attachment; filename="../../etc/trips 2026.csv"`))
	first := web.On("/first.csv", testenv.Status(302, "Location: "+end, `Content-Disposition: attachment; filename="other.csv"`))
	if name := open(t, newSource(t), first).Name(); name != "trips 2026.csv" {
		t.Errorf("Name() = %q", name)
	}
	long := strings.Repeat("x", 10_000)
	web.On("/download", testenv.File(file, "Content-Disposition: attachment; filename="+long))
	if name := open(t, newSource(t), first).Name(); len(name) > 255 {
		t.Errorf("a name of %d bytes", len(name))
	}
}
