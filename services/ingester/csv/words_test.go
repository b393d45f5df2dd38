package csv

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// padded returns b with a word more of capacity, whose bytes are c: whoever looks past the end finds that.
func padded(b []byte, c byte) []byte {
	return append(slices.Clone(b), bytes.Repeat([]byte{c}, wordSize)...)[:len(b)]
}

func TestFirstMarkIsTheFirstMatch(t *testing.T) {
	fills := []byte{0, 1, 0x7F, 0x80, 0x81, 0xFF, '"', '\n'}
	for c := range 256 {
		for _, fill := range append(fills, byte(c+1), byte(c-1), byte(c)^0x80) {
			if fill == byte(c) {
				continue
			}
			for places := range 1 << wordSize { // every set of places where c stands
				b := bytes.Repeat([]byte{fill}, wordSize)
				for i := range b {
					if places>>i&1 == 1 {
						b[i] = byte(c)
					}
				}
				marks := matches(word(b, 0), spread(byte(c)))
				got := -1
				if marks != 0 {
					got = firstMark(marks)
				}
				if want := bytes.IndexByte(b, byte(c)); got != want {
					t.Fatalf("the first %#x of %x is at %d, not %d", c, b, got, want)
				}
			}
		}
	}
}

func TestPutWordWritesWhatWordReads(t *testing.T) {
	b := []byte("0123456789abcdef")
	for at := range len(b) - wordSize {
		to := bytes.Repeat([]byte{'.'}, len(b))
		putWord(to, at, word(b, at))
		want := strings.Repeat(".", at) + string(b[at:at+wordSize]) + strings.Repeat(".", len(b)-at-wordSize)
		if string(to) != want {
			t.Errorf("at %d: %q, want %q", at, to, want)
		}
	}
}

func TestTranslateReplacesOneByte(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for from := range 256 {
		for _, to := range []byte{'\t', 0, 0x80, 0xFF, byte(from), byte(from + 1)} {
			for _, in := range [][]byte{all, bytes.Repeat([]byte{byte(from), byte(from + 1), byte(from - 1)}, 11)} {
				for length := range min(len(in), 3*wordSize) {
					expectTranslated(t, in[:length], byte(from), to)
				}
				expectTranslated(t, in, byte(from), to)
			}
		}
	}
}

func expectTranslated(t *testing.T, in []byte, from, to byte) {
	t.Helper()
	got := append(slices.Clone(in), from)
	translate(got[:len(in)], from, to)
	want := append(bytes.ReplaceAll(in, []byte{from}, []byte{to}), from)
	if !bytes.Equal(got, want) {
		t.Fatalf("%#x to %#x in %x: %x, want %x", from, to, in, got, want)
	}
}

// cleanLengthByRunes is cleanLength in the most obvious way.
func cleanLengthByRunes(b []byte) int {
	for at := 0; at < len(b); {
		r, width := utf8.DecodeRune(b[at:])
		if r == 0 || r == utf8.RuneError && width == 1 {
			return at
		}
		at += width
	}
	return len(b)
}

func expectCleanLength(t *testing.T, b []byte) {
	t.Helper()
	for _, behind := range []byte{0, 'a', 0x80} {
		if got, want := cleanLength(padded(b, behind)), cleanLengthByRunes(b); got != want {
			t.Fatalf("%d bytes of %x are clean, not %d", got, b, want)
		}
	}
}

// oddities are pieces of text that end what is clean, or look as if they did.
var oddities = []string{
	"\x00", "\x01", "\x7F", "\x80", "\xBF", "\xC0\x80", "\xC0\xAF", "\xC1\xBF", "\xC2\x80", "\xC2", "\xC2a", "\xC3\xBC", "\xDF\xBF",
	"\xE0\x80\x80", "\xE0\x9F\xBF", "\xE0\xA0\x80", "\xE2\x82", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xEE\x80\x80",
	"\xEF\xBF\xBD", "\xEF\xBF\xBF", "\xEF\xBB\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80\x80", "\xF0\x9F\x98", "\xF0\x9F\x98\x80",
	"\xF4\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xC3\xBC\xC3", "\xC3\xBC\x00", "ü€😀",
}

func TestCleanLengthAtAllOffsets(t *testing.T) {
	var pieces []string
	for c := range 256 {
		pieces = append(pieces, string([]byte{byte(c)}))
	}
	for _, piece := range append(pieces, oddities...) {
		for _, fill := range []string{"a", "é", "€"} {
			for before := range 5 * wordSize {
				for _, behind := range []int{0, 1, wordSize, 4*wordSize + 1} {
					expectCleanLength(t, []byte(strings.Repeat(fill, before)+piece+strings.Repeat(fill, behind)))
				}
			}
		}
	}
}

func TestCleanLengthOfAllPairs(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			expectCleanLength(t, []byte{byte(first), byte(second)})
			expectCleanLength(t, []byte{byte(first), byte(second), 0x80, 0x80, 'a'})
		}
	}
}

func TestCleanLengthOfAnything(t *testing.T) {
	part := rapid.OneOf(rapid.SampledFrom(oddities), rapid.String(), rapid.StringMatching(`[ -~]{0,70}`),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 9), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOfN(part, 0, 8).Draw(r, "parts"), "")
		expectCleanLength(t, []byte(text))
	})
}
