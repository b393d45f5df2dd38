package csv

import (
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

// word returns the eight bytes at a place. (To slice with both ends costs nothing, b[at:] does.)
func word(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at : at+wordSize]) }

// putWord overwrites the eight bytes at a place.
func putWord(b []byte, at int, w uint64) { binary.LittleEndian.PutUint64(b[at:at+wordSize], w) }

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

// cleanLength returns how many of the first bytes are UTF-8 without NUL. A character that is cut off at the end is not
// counted.
func cleanLength(b []byte) int {
	for at := 0; ; {
		at += cleanASCII(b[at:])
		from := at
		for at < len(b) && b[at] >= utf8.RuneSelf {
			if at+1 < len(b) && b[at]-0xC2 <= 0xDF-0xC2 && b[at+1]&0xC0 == 0x80 { // two bytes, as most are in Europe
				at += 2
				continue
			}
			r, width := utf8.DecodeRune(b[at:])
			if r == utf8.RuneError && width == 1 {
				return at
			}
			at += width
		}
		if at == from { // the end, or a NUL
			return at
		}
	}
}

// cleanASCII returns how many of the first bytes are ASCII other than NUL.
func cleanASCII(b []byte) int {
	at := 0
	for ; at+4*wordSize <= len(b); at += 4 * wordSize {
		if (dirt(word(b, at))|dirt(word(b, at+wordSize))|dirt(word(b, at+2*wordSize))|dirt(word(b, at+3*wordSize)))&highs != 0 {
			break
		}
	}
	for ; at+wordSize <= len(b); at += wordSize {
		if marks := dirt(word(b, at)) & highs; marks != 0 {
			return at + firstMark(marks)
		}
	}
	for at < len(b) && b[at] < utf8.RuneSelf && b[at] != 0 {
		at++
	}
	return at
}

// dirt marks the first byte of the word that is NUL or not ASCII, by its highest bit: such a byte has it, or gets it when
// 1 is taken away. Marks of later bytes may be false.
func dirt(w uint64) uint64 { return w | (w - ones) }

// translate replaces each byte from by the byte to.
func translate(b []byte, from, to byte) {
	pattern, change := spread(from), spread(from^to)
	at := 0
	for ; at+wordSize <= len(b); at += wordSize {
		w := word(b, at)
		// Unlike in matches, every mark must be true: nothing is carried from one byte to the next.
		x := w ^ pattern
		marks := ^((x&^uint64(highs) + ^uint64(highs)) | x | ^uint64(highs))
		putWord(b, at, w^(marks>>7*0xFF)&change)
	}
	for i, c := range b[at:] {
		if c == from {
			b[at+i] = to
		}
	}
}
