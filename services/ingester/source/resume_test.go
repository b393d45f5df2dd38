package source

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"sluice/pkg/events"
)

const (
	tag     = `"v1"`
	readAt  = 4000 // where the first attempt stops
	weakTag = `W/"v1"`
)

// old and recent are Last-Modified dates that are strong and not.
var (
	old    = time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	recent = time.Now().UTC().Format(http.TimeFormat)
)

// TestResumeAsksForTheRest has answers that are the rest.
func TestResumeAsksForTheRest(t *testing.T) {
	tests := []struct {
		name        string
		first, then answering
		offset      int64 // of the first attempt's end; 0 for readAt
		want        string
	}{
		{"ETag", whole("ETag", tag), part("ETag", tag), 0, "bytes=4000- " + tag},
		{"ETag and another date", whole("ETag", tag, "Last-Modified", old), part("ETag", tag, "Last-Modified", recent), 0, "bytes=4000- " + tag},
		{"date", whole("Last-Modified", old), part("Last-Modified", old), 0, "bytes=4000- " + old},
		{"chunked rest", whole("ETag", tag), chunked(part("ETag", tag)), 0, "bytes=4000- " + tag},
		{"length unknown at first", chunked(whole("ETag", tag)), part("ETag", tag), 0, "bytes=3999- " + tag},
		{"nothing left", whole("ETag", tag), part("ETag", tag), int64(len(file)), fmt.Sprintf("bytes=%d- %s", len(file)-1, tag)},
		{"nothing left, length unknown", chunked(whole("ETag", tag)), part("ETag", tag), int64(len(file)), fmt.Sprintf("bytes=%d- %s", len(file)-1, tag)},
		{"first byte only", whole("ETag", tag), part("ETag", tag), 1, "bytes=1- " + tag},
		{"standard server", standard(tag, ""), standard(tag, ""), 0, "bytes=4000- " + tag},
		{"standard server by date", standard("", old), standard("", old), 0, "bytes=4000- " + old},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serveTwice(t, test.first, test.then)
			at := s.readTo(t, cmp.Or(test.offset, readAt))
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			if body.Offset() != at.Offset || body.Validator() != at.Was {
				t.Errorf("starts at %d with %+v, want %d with %+v", body.Offset(), body.Validator(), at.Offset, at.Was)
			}
			if size, known := body.Size(); size != int64(len(file)) || !known || !body.LengthVerified() {
				t.Errorf("Size() = %d, %v", size, known)
			}
			wantRest(t, body, file)
			s.wantRequests(t, " ", test.want)
		})
	}
}

// TestResumeOfAnotherFile has answers that show at once that the file has changed.
func TestResumeOfAnotherFile(t *testing.T) {
	tests := []struct {
		name        string
		first, then answering
	}{
		{"other ETag", whole("ETag", tag), whole("ETag", `"v2"`)},
		{"other ETag of a part", whole("ETag", tag), part("ETag", `"v2"`)},
		{"other ETag of an odd part", whole("ETag", tag), partFrom(17, "ETag", `"v2"`)},
		{"other total", whole("ETag", tag), odd("bytes 4000-10000/10001", file[4000:]+"x", "ETag", tag)},
		{"other total, date", whole("Last-Modified", old), odd("bytes 4000-10000/10001", file[4000:]+"x", "Last-Modified", old)},
		{"other length", whole(), wholeOf(file + "x")},
		{"other length, same ETag", whole("ETag", tag), wholeOf(file+"x", "ETag", tag)},
		{"shorter than what was read", chunked(whole()), wholeOf(file[:3999])},
		{"empty", whole(), wholeOf("")},
		{"412", whole("ETag", tag), status(http.StatusPreconditionFailed)},
		{"416", whole("ETag", tag), status(http.StatusRequestedRangeNotSatisfiable)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serveTwice(t, test.first, test.then)
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, s.readTo(t, readAt))
			var failure *events.Failure
			if !errors.Is(err, ErrChanged) || errors.As(err, &failure) {
				t.Errorf("%v, %v; want ErrChanged", body, err)
			}
		})
	}
}

func TestResumeFails(t *testing.T) {
	tests := []struct {
		name string
		then answering
		code events.Code
		wait time.Duration
	}{
		{"busy", status(http.StatusServiceUnavailable, "Retry-After", "120"), events.CodeSourceUnavailable, 2 * time.Minute},
		{"gone", status(http.StatusNotFound), events.CodeSourceNotFound, 0},
		{"refused", status(http.StatusForbidden), events.CodeSourceRefused, 0},
		{"compressed", whole("ETag", tag, "Content-Encoding", "br"), events.CodeSourceUnsupported, 0},
		{"a part though the whole was asked for", odd("", "x"), events.CodeSourceUnsupported, 0},
		{"redirected to nowhere", status(http.StatusFound, "Location", "ftp://files.test/"), events.CodeSourceRedirects, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serveTwice(t, whole("ETag", tag), test.then)
			_, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, s.readTo(t, readAt))
			wantFailure(t, err, test.code)
			if RetryAfter(err) != test.wait {
				t.Errorf("RetryAfter = %s", RetryAfter(err))
			}
		})
	}
}

func TestResumeWithoutAMarkIsOpen(t *testing.T) {
	digest := digestOf(file[:readAt])
	for name, at := range map[string]Point{
		"zero":      {},
		"no digest": {Offset: readAt, Was: Validator{ETag: tag, Length: 7}},
		"at 0":      {Digest: digest, Was: Validator{ETag: tag, Length: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTwice(t, whole("ETag", `"v2"`), nil)
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			if body.Validator().ETag != `"v2"` {
				t.Errorf("validator %+v", body.Validator())
			}
			wantRest(t, body, file)
			s.wantRequests(t, " ")
		})
	}
}

func TestResumeByAnUnreadableDigest(t *testing.T) {
	for _, at := range []Point{
		{Offset: readAt, Digest: []byte("x")},
		{Others: []Mark{{readAt, make([]byte, digestSize)}}},
	} {
		if _, err := newSource(t).Resume(t.Context(), Request{URL: closedAddress(t)}, at); !errors.Is(err, ErrChanged) {
			t.Errorf("error %v", err)
		}
	}
}
