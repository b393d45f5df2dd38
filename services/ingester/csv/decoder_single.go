package csv

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// asciiMask has the bits of eight bytes that tell what is beyond ASCII.
const asciiMask = 0x8080808080808080

// singleByte decodes an encoding of one byte a character: each byte's UTF-8 from the lowest byte on, with its length in
// the highest.
type singleByte [256]uint32

// newSingleByte makes a table. What is undefined is undecodable, control characters beyond ASCII included.
func newSingleByte(table *charmap.Charmap) *singleByte {
	t := new(singleByte)
	for i := range t {
		r := table.DecodeByte(byte(i))
		if r == utf8.RuneError {
			t[i] = badByte | 1<<24
			continue
		}
		var text [maxRune]byte
		size := utf8.EncodeRune(text[:], r)
		t[i] = binary.LittleEndian.Uint32(text[:]) | uint32(size)<<24 //nolint:gosec // it is at most four
	}
	return t
}

func (t *singleByte) decode(dst, src []byte, _ bool) (written, read int) {
	for len(src)-read >= 8 && len(dst)-written >= 8+maxRune {
		word := binary.LittleEndian.Uint64(src[read:])
		binary.LittleEndian.PutUint64(dst[written:], word)
		high := word & asciiMask
		if high == 0 {
			written, read = written+8, read+8
			continue
		}
		ascii := bits.TrailingZeros64(high) >> 3
		written, read = written+ascii, read+ascii
		for { // letters beyond ASCII are seldom alone in most scripts
			char := t[src[read]]
			binary.LittleEndian.PutUint32(dst[written:], char)
			written, read = written+int(char>>24), read+1
			if read == len(src) || src[read] < utf8.RuneSelf || len(dst)-written < maxRune {
				break
			}
		}
	}
	for read < len(src) && len(dst)-written >= maxRune {
		char := t[src[read]]
		binary.LittleEndian.PutUint32(dst[written:], char)
		written, read = written+int(char>>24), read+1
	}
	return written, read
}

func (t *singleByte) length(decoded []byte) int64 {
	n := len(decoded)
	for len(decoded) >= 8 {
		word := binary.LittleEndian.Uint64(decoded)
		n -= bits.OnesCount64(word & (^word << 1) & asciiMask) // bytes that go on with a character begin with the bits 10
		decoded = decoded[8:]
	}
	for _, c := range decoded {
		if !utf8.RuneStart(c) {
			n--
		}
	}
	return int64(n)
}

// rune is what a byte stands for, -1 if nothing.
func (t *singleByte) rune(c byte) rune {
	char := t[c]
	var text [maxRune]byte
	binary.LittleEndian.PutUint32(text[:], char)
	if r, _ := utf8.DecodeRune(text[:char>>24]); r != utf8.RuneError {
		return r
	}
	return -1
}
