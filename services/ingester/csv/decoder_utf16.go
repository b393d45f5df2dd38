package csv

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Codec decodes UTF-16 without looking for a byte order mark.
type utf16Codec struct{ bigEndian bool }

const (
	utf16ASCII = 0xFF80FF80FF80FF80 // the bits of four units that tell what is beyond ASCII
	lowBytes   = 0x00FF00FF00FF00FF // of four units
)

func (c utf16Codec) decode(dst, src []byte, last bool) (written, read int) {
	for len(src)-read >= 2 && len(dst)-written >= maxRune {
		if len(src)-read >= 8 {
			if word := c.word(src[read:]); word&utf16ASCII == 0 {
				packed := word | word>>8
				packed = packed&0xFFFF | packed>>16&0xFFFF0000
				binary.LittleEndian.PutUint32(dst[written:], uint32(packed&0xFFFFFFFF))
				written, read = written+4, read+8
				continue
			}
		}
		size, units := c.decodeRune(dst[written:], src[read:], last)
		if size == 0 {
			return written, read
		}
		written, read = written+size, read+units
	}
	if last && len(src)-read == 1 && written < len(dst) {
		dst[written] = badByte
		written, read = written+1, read+1
	}
	return written, read
}

// word returns four units, the first one lowest.
func (c utf16Codec) word(src []byte) uint64 {
	word := binary.LittleEndian.Uint64(src)
	if c.bigEndian {
		word = word>>8&lowBytes | word&lowBytes<<8
	}
	return word
}

func (c utf16Codec) unit(src []byte) rune {
	if c.bigEndian {
		return rune(binary.BigEndian.Uint16(src))
	}
	return rune(binary.LittleEndian.Uint16(src))
}

// decodeRune decodes one character, or half of one that is alone. It does nothing when the other half may follow.
func (c utf16Codec) decodeRune(dst, src []byte, last bool) (written, read int) {
	r := c.unit(src)
	if !utf16.IsSurrogate(r) {
		return utf8.EncodeRune(dst, r), 2
	}
	if len(src) >= 4 {
		if r = utf16.DecodeRune(r, c.unit(src[2:])); r != utf8.RuneError {
			return utf8.EncodeRune(dst, r), 4
		}
	} else if r < 0xDC00 && !last {
		return 0, 0
	}
	dst[0], dst[1] = badByte, badByte
	return 2, 2
}

func (c utf16Codec) length(decoded []byte) int64 {
	var n int64
	for _, b := range decoded {
		switch {
		case b == badByte:
			n++
		case b >= 0xF0:
			n += 4
		case b < utf8.RuneSelf || b >= 0xC0:
			n += 2
		}
	}
	return n
}
