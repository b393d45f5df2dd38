package source

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestWebHeadersStayWithTheirHost asks with headers, or with a user, by way of two hosts.
func TestWebHeadersStayWithTheirHost(t *testing.T) {
	headers := map[string]string{"Authorization": "Bearer hush", "X-Api-Key": "hush", "Cookie": "a=hush", "Accept": "text/hush", "Referer": "http://hush/"}
	for name, tt := range map[string]struct {
		path  string
		hops  map[string]string // where the first host's paths lead; those of the second begin with its name
		first []bool            // which requests to the first host have the headers
		alien int               // requests to the second
	}{
		"no redirect":     {"/f.csv", nil, []bool{true}, 0},
		"same host":       {"/a", map[string]string{"/a": "/b", "/b": "/f.csv"}, []bool{true, true, true}, 0},
		"another host":    {"/a", map[string]string{"/a": "second/f.csv"}, []bool{true}, 1},
		"further there":   {"/a", map[string]string{"/a": "second/b", "second/b": "second/f.csv"}, []bool{true}, 2},
		"and back":        {"/a", map[string]string{"/a": "second/b", "second/b": "/f.csv"}, []bool{true, false}, 1},
		"and back, twice": {"/a", map[string]string{"/a": "second/b", "second/b": "/c", "/c": "/f.csv"}, []bool{true, false, false}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := testenv.StartWeb(t), testenv.StartWeb(t)
			at := func(place string) (*testenv.Web, string) {
				if path, there := strings.CutPrefix(place, "second"); there {
					return second, path
				}
				return first, place
			}
			for from, to := range tt.hops {
				web, path := at(from)
				target, end := at(to)
				web.On(path, testenv.Redirect(302, target.URL+end))
			}
			for _, web := range []*testenv.Web{first, second} {
				web.On("/f.csv", testenv.File(file))
			}
			body, err := newSource(t).Open(t.Context(), Request{URL: first.URL + tt.path, Headers: headers})
			if err != nil {
				t.Fatal(err)
			}
			body.Close()
			for n, r := range first.Requests() {
				for name, value := range headers {
					if got := r.Header.Get(name); n >= len(tt.first) || (got == value) != tt.first[n] {
						t.Errorf("request %d for %s had %s: %q", n, r.URL.Path, name, got)
					}
				}
			}
			for _, r := range second.Requests() {
				if told := fmt.Sprint(r.Header); strings.Contains(told, "hush") {
					t.Errorf("the other host was told %s", told)
				}
			}
			if len(first.Requests()) != len(tt.first) || len(second.Requests()) != tt.alien {
				t.Errorf("asked %d and %d times", len(first.Requests()), len(second.Requests()))
			}
		})
	}
}

// TestWebHeadersAreSentAgain holds that whoever resumes a file asks as the first time, also if no part of it is given.
func TestWebHeadersAreSentAgain(t *testing.T) {
	web := testenv.StartWeb(t)
	whole := testenv.Ranged(file, "ETag: "+tag)
	odd := testenv.Status(206)
	wanted := Request{URL: web.On("/f.csv", whole, odd, whole), Headers: map[string]string{"X-Api-Key": "hush"}}
	h := newSource(t)
	body, err := h.Open(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, body, readAt); err != nil {
		t.Fatal(err)
	}
	at := Point{Offset: body.Offset(), Digest: body.Digest(), Was: body.Validator()}
	body.Close()
	if body, err = h.Resume(t.Context(), wanted, at); err != nil {
		t.Fatal(err)
	}
	body.Close()
	if keys := web.Asked("X-Api-Key"); !slices.Equal(keys, []string{"hush", "hush", "hush"}) {
		t.Errorf("asked with %q", keys)
	}
	if ranges := web.Asked("Range"); !slices.Equal(ranges, []string{"", "bytes=4000-", ""}) {
		t.Errorf("asked for %q", ranges)
	}
}
