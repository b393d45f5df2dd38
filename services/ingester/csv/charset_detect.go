package csv

import (
	"bytes"
	"strings"

	"sluice/pkg/events"
)

const (
	sureOfASCII     = 0.9 // where the rest of the file may have more than ASCII
	sureOfAnnounced = 0.9
	sureOfMostly    = 0.8 // UTF-8 with a few mistakes
)

// detectCharset says how a file is encoded, by its first bytes and by what a job states and a server announces of it, as
// labels or empty. The file's text begins behind a mark. It fails when the statement is of no use.
func detectCharset(sample []byte, complete bool, stated, announced string) (cs charset, mark int, sure float64, err error) {
	marked, mark, err := byteOrder(sample)
	if stated != "" {
		cs, ok := findCharset(stated)
		if !ok {
			return charset{}, 0, 0, events.Failf(events.CodeBadEncoding,
				"the encoding %q is not one of those that can be read; name it as in \"windows-1252\" or \"Shift_JIS\"", stated)
		}
		switch {
		case mark > 0 && cs.isUTF16() && marked.isUTF16():
			return marked, mark, 1, nil // in the other byte order the mark is not a character
		case mark > 0 && cs == marked:
			return cs, mark, 1, nil
		}
		return cs, 0, 1, nil
	}
	if err != nil || mark > 0 {
		return marked, mark, 1, err
	}
	if cs, ok := unmarkedUTF16(sample, complete); ok {
		return cs, 0, 0.95, nil
	}
	count := countUTF8(sample, complete)
	switch {
	case count.bad == 0 && (count.good > 0 || complete):
		return charset{}, 0, 1, nil
	case count.bad == 0:
		return charset{}, 0, sureOfASCII, nil
	case count.good >= 2*count.bad: // in no other encoding is so much UTF-8 by chance
		return charset{}, 0, sureOfMostly, nil
	}
	if cs, ok := findCharset(strings.TrimSpace(announced)); ok && !cs.isUTF16() && cs.undecodable(sample, complete) == 0 {
		return cs, 0, sureOfAnnounced, nil
	}
	if bytes.IndexByte(sample, 0) >= 0 {
		return charset{}, 0, 0, nil // no text in an encoding of bytes has a NUL
	}
	cs, sure = guessCharset(sample, complete)
	return cs, 0, sure, nil
}

// byteOrder finds a byte order mark. It fails at one of UTF-32.
func byteOrder(sample []byte) (cs charset, mark int, err error) {
	for _, m := range []string{"\xFF\xFE\x00\x00", "\x00\x00\xFE\xFF"} {
		if bytes.HasPrefix(sample, []byte(m)) {
			return charset{}, 0, events.Failf(events.CodeBadEncoding, "the source is encoded in UTF-32, which is not read; save it as UTF-8")
		}
	}
	switch {
	case bytes.HasPrefix(sample, []byte(byteOrderMark)):
		return charset{}, len(byteOrderMark), nil
	case bytes.HasPrefix(sample, []byte("\xFF\xFE")):
		return utf16LE(), 2, nil
	case bytes.HasPrefix(sample, []byte("\xFE\xFF")):
		return utf16BE(), 2, nil
	}
	return charset{}, 0, nil
}

// unmarkedUTF16 finds UTF-16 by the bytes that are NUL, as delimiters and line ends have one each in any language.
func unmarkedUTF16(sample []byte, complete bool) (charset, bool) {
	little, big := countASCII(sample, 0), countASCII(sample, 1)
	cs, found, other := utf16LE(), little, big
	if big.weight() > little.weight() {
		cs, found, other = utf16BE(), big, little
	}
	units := len(sample) / 2
	switch lines := bytes.Count(sample, []byte{'\n'}); {
	case found.weight() == 0 || found.weight()*10 < units || found.weight() <= 2*other.weight():
		return charset{}, false
	case found.lines*4 < lines*3: // text in ASCII where some bytes are NUL
		return charset{}, false
	case lines == 0 && found.pairs*2 > units:
		return charset{}, false
	}
	return cs, cs.undecodable(sample, complete)*50 <= units
}

// asciiCount counts units of UTF-16.
type asciiCount struct {
	letters    int // and whatever else of ASCII is printable
	separators int
	lines      int
	pairs      int // two bytes of ASCII each
}

// weight tells the byte orders apart, in either of which an ideograph such as U+4E00 looks like a letter in the other.
func (n asciiCount) weight() int { return n.letters + 20*n.separators }

// countASCII counts units whose low bytes are the first or the second ones.
func countASCII(sample []byte, low int) asciiCount {
	var n asciiCount
	for i := 0; i+1 < len(sample); i += 2 {
		c, high := sample[i+low], sample[i+1-low]
		switch {
		case high != 0:
			if printable(c) && printable(high) {
				n.pairs++
			}
		case c == '\n':
			n.lines++
			n.separators++
		case strings.IndexByte("\r\t,;|\"", c) >= 0:
			n.separators++
		case printable(c):
			n.letters++
		}
	}
	return n
}

// printable reports what text in ASCII consists of.
func printable(c byte) bool {
	return c >= ' ' && c <= '~' || c == '\n' || c == '\r' || c == '\t'
}
