package csv

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Eight bytes are looked at in one step, as a word in little-endian order: the first byte is the lowest.
const (
	wordSize = 8
	ones     = 0x0101010101010101
	highs    = 0x8080808080808080
)

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// spread is the word whose bytes are all c.
func spread(c byte) uint64 { return ones * uint64(c) }

// matches marks, by its highest bit, the first byte of the word that is the one spread in pattern. Marks of later bytes
// may be false.
func matches(w, pattern uint64) uint64 {
	x := w ^ pattern
	return (x - ones) &^ x & highs
}

// firstMark is the place of the first marked byte.
func firstMark(marks uint64) int { return bits.TrailingZeros64(marks) / wordSize }

// vetSize is how much text beyond ASCII is judged at once, in bytes.
const vetSize = 1 << 10

// cleanLength returns how many of the first bytes are UTF-8 without NUL. A character that is cut off at the end is not
// counted.
func cleanLength(b []byte) int {
	for at := 0; ; {
		at += cleanASCII(b[at:])
		piece := wholeCharacters(b[at:min(at+vetSize, len(b))])
		if len(piece) == 0 {
			return at
		}
		if !utf8.Valid(piece) || bytes.IndexByte(piece, 0) >= 0 {
			valid := piece[:firstInvalid(piece)]
			if nul := bytes.IndexByte(valid, 0); nul >= 0 {
				return at + nul
			}
			return at + len(valid)
		}
		at += len(piece)
	}
}

// wholeCharacters returns the bytes without a character that is cut off at their end.
func wholeCharacters(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if rest := b[len(b)-n:]; utf8.RuneStart(rest[0]) {
			if !utf8.FullRune(rest) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}

// cleanASCII returns how many of the first bytes are ASCII other than NUL.
func cleanASCII(b []byte) int {
	at := 0
	for ; at+4*wordSize <= len(b); at += 4 * wordSize {
		w := b[at : at+4*wordSize]
		a, b, c, d := word(w), word(w[wordSize:]), word(w[2*wordSize:]), word(w[3*wordSize:])
		// A high bit is set by what is not ASCII, or by taking 1 from a NUL.
		if ((a|(a-ones))|(b|(b-ones))|(c|(c-ones))|(d|(d-ones)))&highs != 0 {
			break
		}
	}
	for at < len(b) && b[at] < utf8.RuneSelf && b[at] != 0 {
		at++
	}
	return at
}

// translate replaces each byte from by the byte to.
func translate(b []byte, from, to byte) {
	pattern, change := spread(from), spread(from^to)
	for ; len(b) >= wordSize; b = b[wordSize:] {
		w := word(b)
		// Unlike in matches, every mark must be true: nothing is carried from one byte to the next.
		x := w ^ pattern
		marks := ^((x&^uint64(highs) + ^uint64(highs)) | x | ^uint64(highs))
		binary.LittleEndian.PutUint64(b, w^(marks>>7*0xFF)&change)
	}
	for i, c := range b {
		if c == from {
			b[i] = to
		}
	}
}
