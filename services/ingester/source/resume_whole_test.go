package source

import (
	"io"
	"strings"
	"testing"

	"sluice/pkg/events"
)

// TestResumeFromTheStart has answers and validators that make the whole file come again.
func TestResumeFromTheStart(t *testing.T) {
	const none, ranged, dated = " ", "bytes=4000- " + tag, "bytes=4000- "
	tests := []struct {
		name        string
		first, then answering
		requests    []string // after the first
	}{
		{"no validator", whole(), whole(), []string{none}},
		{"no validator, chunked", chunked(whole()), chunked(whole()), []string{none}},
		{"weak ETag", whole("ETag", weakTag), whole("ETag", weakTag), []string{none}},
		{"weak ETag and a date", whole("ETag", weakTag, "Last-Modified", old), whole("Last-Modified", old), []string{none}},
		{"bare ETag", whole("ETag", "v1"), whole("ETag", "v1"), []string{none}},
		{"two ETags", whole("ETag", tag, "ETag", `"v2"`), whole(), []string{none}},
		{"recent date", whole("Last-Modified", recent), whole("Last-Modified", recent), []string{none}},
		{"date without length", chunked(whole("Last-Modified", old)), whole("Last-Modified", old), []string{none}},
		{"proven, no ranges", whole("ETag", tag), whole("ETag", tag), []string{ranged}},
		{"no ranges, ETag gone", whole("ETag", tag), whole(), []string{ranged}},
		{"no ranges, ETag weak now", whole("ETag", tag), whole("ETag", weakTag), []string{ranged}},
		{"proven, no ranges, date", whole("Last-Modified", old), whole("Last-Modified", old), []string{dated + old}},
		{"no ranges, other date", whole("Last-Modified", old), whole("Last-Modified", recent), []string{dated + old}},
		{"part without ETag", whole("ETag", tag), part(), []string{ranged, none}},
		{"part with weak ETag", whole("ETag", tag), part("ETag", weakTag), []string{ranged, none}},
		{"part without date", whole("Last-Modified", old), part(), []string{dated + old, none}},
		{"part with other date", whole("Last-Modified", old), part("Last-Modified", recent), []string{dated + old, none}},
		{"part from before", whole("ETag", tag), partFrom(3999, "ETag", tag), []string{ranged, none}},
		{"part from behind", whole("ETag", tag), partFrom(4001, "ETag", tag), []string{ranged, none}},
		{"part cut short", whole("ETag", tag), odd("bytes 4000-8999/10000", file[4000:9000], "ETag", tag), []string{ranged, none}},
		{"total unknown", whole("ETag", tag), odd("bytes 4000-9999/*", file[4000:], "ETag", tag), []string{ranged, none}},
		{"other unit", whole("ETag", tag), odd("lines 4000-9999/10000", file[4000:], "ETag", tag), []string{ranged, none}},
		{"more than the length", whole("ETag", tag), odd("bytes 4000-9999/10000", file[4000:]+"x", "ETag", tag), []string{ranged, none}},
		{"less than the range", whole("ETag", tag), odd("bytes 4000-9999/10000", file[4001:], "ETag", tag), []string{ranged, none}},
		{"no Content-Range", whole("ETag", tag), odd("", file[4000:], "ETag", tag), []string{ranged, none}},
		{"multipart", whole("ETag", tag), multipart, []string{ranged, none}},
		{"compressed part", whole("ETag", tag), part("ETag", tag, "Content-Encoding", "gzip"), []string{ranged, none}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serveTwice(t, test.first, ranging(test.then))
			at := s.readTo(t, readAt)
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			proven := strings.HasPrefix(test.name, "proven")
			if body.Offset() != 0 || proven && body.Validator() != at.Was || !proven && body.Validator() != (Validator{}) {
				t.Errorf("starts at %d with %+v", body.Offset(), body.Validator())
			}
			if err := body.Skip(readAt); err != nil || body.Offset() != readAt {
				t.Errorf("skipped to %d, %v", body.Offset(), err)
			}
			wantRest(t, body, file)
			s.wantRequests(t, append([]string{" "}, test.requests...)...)
		})
	}
}

func TestResumeLimitsTheSize(t *testing.T) {
	for name, then := range map[string]answering{"announced": part("ETag", tag), "start over": wholeOf(file, "ETag", tag)} {
		t.Run(name, func(t *testing.T) {
			s := serveTwice(t, whole("ETag", tag), then)
			at := s.readTo(t, readAt)
			h := newSource(t, func(c *Config) { c.Size = int64(len(file)) - 1 })
			_, err := h.Resume(t.Context(), Request{URL: s.url}, at)
			wantFailure(t, err, events.CodeSourceTooLarge)
		})
	}
	s := serveTwice(t, chunked(whole()), chunked(whole()))
	at := s.readTo(t, readAt)
	h := newSource(t, func(c *Config) { c.Size = int64(len(file)) - 1 })
	body, err := h.Resume(t.Context(), Request{URL: s.url}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	wantFailure(t, err, events.CodeSourceTooLarge)
	if n != int64(len(file))-1 {
		t.Errorf("read %d bytes", n)
	}
}
