package types

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes are looked at in one step, as a word in little-endian order: the first byte is the lowest.
const (
	wordSize = 8
	ones     = 0x0101010101010101
	highs    = 0x8080808080808080
)

// word returns the eight bytes at a place.
func word(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at : at+wordSize]) }

// matches marks, by its highest bit, the first byte of the word that is the one spread in pattern. Marks of later bytes
// may be false.
func matches(w, pattern uint64) uint64 {
	x := w ^ pattern
	return (x - ones) &^ x & highs
}

// firstMark is the place of the first marked byte.
func firstMark(marks uint64) int { return bits.TrailingZeros64(marks) / wordSize }

// between marks each byte from one to another, if all of the word are ASCII.
func between(w uint64, from, to byte) uint64 {
	return (w + ones*(0x80-uint64(from))) &^ (w + ones*(0x7F-uint64(to))) & highs
}
