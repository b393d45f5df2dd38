package source

import (
	"errors"
	"io"
	"strings"
	"testing"

	"sluice/pkg/events"
)

// edited is the file with one byte changed.
func edited(at int) string { return file[:at] + "#" + file[at+1:] }

func TestResumedBytesAreCompared(t *testing.T) {
	mark := func(offset int64, of string) Mark { return Mark{offset, digestOf(of[:offset])} }
	tests := []struct {
		name        string
		first, then answering
		later       []Mark
		skip        int64 // after 4000; 0 for none
		changed     bool
	}{
		{"same", whole(), whole(), nil, 0, false},
		{"edited at the start", whole(), wholeOf(edited(0)), nil, 0, true},
		{"edited just before", whole(), wholeOf(edited(3999)), nil, 0, true},
		{"edited behind", whole(), wholeOf(edited(4000)), nil, 0, false},
		{"longer, of unknown length", chunked(whole()), chunked(wholeOf(file + "more")), nil, 0, false},
		{"ends before", chunked(whole()), chunked(wholeOf(file[:3000])), nil, 0, true},
		{"edited, ETag the same", whole("ETag", tag), wholeOf(edited(0), "ETag", tag), nil, 0, true},

		{"skip beyond the mark", whole(), whole(), nil, 6000, true},
		{"skip beyond the mark, ETag", whole("ETag", tag), whole("ETag", tag), nil, 6000, false},
		{"skip beyond the mark, ETag gone", whole("ETag", tag), whole(), nil, 6000, true},
		{"skip beyond the mark, date", whole("Last-Modified", old), whole("Last-Modified", old), nil, 6000, false},
		{"skip beyond the mark, part", whole("ETag", tag), part("ETag", tag), nil, 6000, false},

		{"later mark at the skip's end", whole(), whole(), []Mark{mark(6000, file)}, 6000, false},
		{"later mark behind it", whole(), whole(), []Mark{mark(9000, file), mark(6500, file)}, 6000, false},
		{"later mark before it", whole(), whole(), []Mark{mark(5999, file)}, 6000, true},
		{"later mark of others", whole(), whole(), []Mark{mark(6500, edited(6400))}, 6000, true},
		{"edited before a later mark", whole(), wholeOf(edited(5000)), []Mark{mark(6500, file)}, 6000, true},
		{"edited before a later mark, part", whole("ETag", tag), odd("bytes 4000-9999/10000", edited(5000)[4000:], "ETag", tag),
			[]Mark{mark(6500, file)}, 6000, true},
		{"later marks of a part", whole("ETag", tag), part("ETag", tag), []Mark{mark(3000, file), mark(10000, file)}, 6000, false},
		{"ends before a later mark", chunked(whole()), chunked(wholeOf(file[:9000])), []Mark{mark(9500, file)}, 6000, true},
		{"two marks at one place", whole(), whole(), []Mark{mark(4000, file), mark(4000, edited(1))}, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serveTwice(t, test.first, test.then)
			at := s.readTo(t, readAt)
			at.Others = test.later
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err == nil {
				defer body.Close()
				err = skipThenRead(body, test.skip)
			}
			if test.changed != errors.Is(err, ErrChanged) || !test.changed && err != nil {
				t.Errorf("error %v, want ErrChanged %v", err, test.changed)
			}
		})
	}
}

// skipThenRead goes on as a caller does that has kept the bytes before 4000, and those from 5000 to the offset to.
func skipThenRead(body *Body, to int64) error {
	if err := body.Skip(readAt); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, body, 1000); err != nil {
		return err
	}
	if to != 0 {
		if err := body.Skip(to); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, body)
	return err
}

// TestResumeByLaterMarksAlone is for what was kept although none of it is at the start.
func TestResumeByLaterMarksAlone(t *testing.T) {
	s := serveTwice(t, whole("ETag", tag), whole("ETag", tag))
	at := s.readTo(t, readAt)
	body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, Point{Was: at.Was, Others: []Mark{{at.Offset, at.Digest}}})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	wantRest(t, body, file)
	s.wantRequests(t, " ", " ")

	changed := serveTwice(t, whole("ETag", tag), whole("ETag", `"v2"`))
	at = changed.readTo(t, readAt)
	_, err = newSource(t).Resume(t.Context(), Request{URL: changed.url}, Point{Was: at.Was, Others: []Mark{{at.Offset, at.Digest}}})
	if !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
}

func TestChangedBytesAreNotHandedOver(t *testing.T) {
	s := serveTwice(t, whole(), wholeOf(edited(readAt-1)))
	body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, s.readTo(t, readAt))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if !errors.Is(err, ErrChanged) || strings.Contains(string(data), "#") {
		t.Errorf("read %d bytes, %v", len(data), err)
	}
	if n, again := body.Read(make([]byte, 1)); n != 0 || !errors.Is(again, ErrChanged) {
		t.Errorf("read again: %d, %v", n, again)
	}
}

func TestSkipBack(t *testing.T) {
	s := serveTwice(t, whole(), whole())
	body := open(t, newSource(t), s.url)
	if _, err := io.CopyN(io.Discard, body, 10); err != nil {
		t.Fatal(err)
	}
	var failure *events.Failure
	if err := body.Skip(9); err == nil || errors.Is(err, ErrChanged) || errors.As(err, &failure) || body.Offset() != 10 {
		t.Errorf("error %v, at %d", err, body.Offset())
	}
	if err := body.Skip(10); err != nil {
		t.Error(err)
	}
}
