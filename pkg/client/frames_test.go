package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFrames(t *testing.T) {
	for _, c := range []struct{ stream, want string }{
		{"", ""},
		{"id: 4\nevent: succeeded\ndata: {}\n\n", "4 succeeded {}|"},
		{"retry: 1000\n\ndata: a\n\n", " message | message a|"},
		{"data: a\ndata: b\n\n", " message a\nb|"},
		{"data:a\n\ndata:  a\n\n", " message a| message  a|"},
		{":\n\n: hello\n\nunknown: 1\n\n", ""},
		{"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", "1 message a|1 message b| message c|"},
		{"id: 1\r\ndata: a\r\n\r\n", "1 message a|"},
		{"id: 1\rdata: a\r\r", "1 message a|"},
		{"\uFEFFdata: a\n\n", " message a|"},
		{"id: 1\n\nid: 2\x00\ndata: a\n\n", "1 message |1 message a|"},
		{"data: a\n\ndata: cut off\n", " message a|"},
		{"data: a\n\ndata: cut o", " message a|"},
		{"data: a\n\ndata\n\n", " message a| message |"},
		{"retry: soon\n\n", ""},
	} {
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.stream), "byte for byte": iotest.OneByteReader(strings.NewReader(c.stream)),
		} {
			var got strings.Builder
			for f, err := range frames(r) {
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&got, "%s %s %s|", f.id, f.kind, f.data)
			}
			if got.String() != c.want {
				t.Errorf("%s, %q: %q, want %q", how, c.stream, got.String(), c.want)
			}
		}
	}
}

func TestFramesFail(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		stream io.Reader
		want   error
	}{
		{io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken)), broken},
		{io.MultiReader(strings.NewReader("data: a\n\n"), strings.NewReader("data: "+strings.Repeat("b", maxLine))), errLongLine},
	} {
		events, last := 0, error(nil)
		for _, err := range frames(c.stream) {
			if last = err; err == nil {
				events++
			}
		}
		if events != 1 || !errors.Is(last, c.want) {
			t.Errorf("%d events, then %v, want %v", events, last, c.want)
		}
	}
}

// FuzzFrames reads anything: no data without its last line end, none with a line end that was not sent as lines, and the same
// however it comes.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("retry: 1000\n\nid: 4\nevent: progress\ndata: {}\ndata: x\n\n:\n\n"))
	f.Add([]byte("data: a\r\rdata: b\r\n\r\n"))
	f.Add([]byte("\uFEFFid: 1\x00\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		read := func(r io.Reader) []frame {
			var list []frame
			for f, err := range frames(r) {
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, f)
			}
			return list
		}
		whole, dripping := read(bytes.NewReader(stream)), read(iotest.OneByteReader(bytes.NewReader(stream)))
		if fmt.Sprint(whole) != fmt.Sprint(dripping) {
			t.Errorf("read at once %v, byte for byte %v", whole, dripping)
		}
		for _, f := range whole {
			if strings.ContainsAny(f.id+f.kind, "\r\n") || bytes.ContainsRune(f.data, '\r') || f.retry < 0 {
				t.Errorf("read was %+v", f)
			}
		}
	})
}
