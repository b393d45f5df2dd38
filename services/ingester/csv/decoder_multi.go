package csv

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// multiByteCodec decodes an encoding of one to four bytes a character by tables. Where an encoding has the same character
// in several lengths, only the shortest is decodable, as the length of the source could not be told otherwise.
type multiByteCodec struct {
	singles [256]rune          // 0: the byte is not a character of its own
	leads   [256]bool          // the first bytes of longer characters
	pairs   [128 << 8]rune     // by both bytes less 0x8000; 0: undecodable
	triples []rune             // by the last two bytes, for those that begin with tripleLead
	quads   []rune             // by their number, as far as they are in the BMP
	lengths [1 << 16]uint8     // by rune, beyond ASCII
	scratch [2 * maxRune]uint8 // for the making of the tables
}

const (
	tripleLead = 0x8F
	quadsBMP   = 39420  // four-byte characters of GB18030 within the BMP
	quadError  = 39417  // the one of them that is U+FFFD, and no sign of an error
	quadsRest  = 189000 // the number of the first one beyond
	cutOff     = -1     // there may be more to the character
	noRune     = -2     // what is there is undecodable

	// A few characters of Big5 are two runes: E with circumflex, large or small, and a macron or a caron.
	composed = utf8.MaxRune + 1
	macron   = 0x304
	caron    = 0x30C
)

// multiByte returns the codec of an encoding by its name in the Encoding Standard, nil when there is none. The tables
// are made once, when they are first needed.
func multiByte(key string) codec {
	switch key {
	case "shift_jis":
		return shiftJIS()
	case "euc-jp":
		return eucJP()
	case "gbk":
		return gbk()
	case "gb18030":
		return gb18030()
	case "big5":
		return big5()
	case "euc-kr":
		return eucKR()
	}
	return nil
}

var (
	shiftJIS = sync.OnceValue(func() *multiByteCodec { return newMultiByte(japanese.ShiftJIS) })
	eucJP    = sync.OnceValue(func() *multiByteCodec { return newMultiByte(japanese.EUCJP) })
	big5     = sync.OnceValue(func() *multiByteCodec { return newMultiByte(traditionalchinese.Big5) })
	eucKR    = sync.OnceValue(func() *multiByteCodec { return newMultiByte(korean.EUCKR) })
	// Both decode all of GB18030, and differ in how they write the euro: Windows has it at 0x80.
	gbk     = sync.OnceValue(func() *multiByteCodec { return newGB(true) })
	gb18030 = sync.OnceValue(func() *multiByteCodec { return newGB(false) })
)

func newMultiByte(enc encoding.Encoding) *multiByteCodec {
	m := new(multiByteCodec)
	m.addSingles(enc)
	m.addPairs(enc)
	if enc == japanese.EUCJP {
		m.addTriples(enc)
	}
	return m
}

func newGB(euro bool) *multiByteCodec {
	m := new(multiByteCodec)
	if euro {
		m.addSingles(simplifiedchinese.GB18030)
	}
	m.addPairs(simplifiedchinese.GB18030)
	m.addQuads(simplifiedchinese.GB18030)
	return m
}

func (m *multiByteCodec) addSingles(enc encoding.Encoding) {
	dec := enc.NewDecoder()
	for c := utf8.RuneSelf; c <= 0xFF; c++ {
		m.singles[c] = m.claim(m.lookUp(dec, byte(c)), 1)
	}
}

func (m *multiByteCodec) addPairs(enc encoding.Encoding) {
	dec := enc.NewDecoder()
	for lead := 0x81; lead <= 0xFE; lead++ {
		if m.singles[lead] != 0 || lead == tripleLead && enc == japanese.EUCJP {
			continue
		}
		for trail := 0x40; trail <= 0xFE; trail++ {
			if r := m.claim(m.lookUp(dec, byte(lead), byte(trail)), 2); r != 0 {
				m.leads[lead] = true
				m.pairs[(lead-0x80)<<8|trail] = r
			}
		}
	}
}

func (m *multiByteCodec) addTriples(enc encoding.Encoding) {
	dec := enc.NewDecoder()
	m.leads[tripleLead] = true
	m.triples = make([]rune, 1<<16)
	for second := 0xA1; second <= 0xFE; second++ {
		for third := 0xA1; third <= 0xFE; third++ {
			m.triples[second<<8|third] = m.claim(m.lookUp(dec, tripleLead, byte(second), byte(third)), 3)
		}
	}
}

func (m *multiByteCodec) addQuads(enc encoding.Encoding) {
	dec := enc.NewDecoder()
	for lead := 0x81; lead <= 0xFE; lead++ {
		m.leads[lead] = true
	}
	m.quads = make([]rune, quadsBMP)
	for i := range m.quads {
		quad := []byte{byte(0x81 + i/12600), byte('0' + i/1260%10), byte(0x81 + i/10%126), byte('0' + i%10)}
		r := m.lookUp(dec, quad...)
		if i == quadError {
			r = utf8.RuneError
		}
		m.quads[i] = m.claim(r, 4)
	}
}

// lookUp decodes the bytes of one character, to 0 if they are none.
func (m *multiByteCodec) lookUp(dec *encoding.Decoder, char ...byte) rune {
	dec.Reset()
	n, read, err := dec.Transform(m.scratch[:], char, true)
	text := m.scratch[:n]
	if err != nil || read != len(char) || bytes.ContainsRune(text, utf8.RuneError) {
		return 0
	}
	r, size := utf8.DecodeRune(text)
	switch second, _ := utf8.DecodeRune(text[size:]); {
	case size == n:
		return r
	case second == macron || second == caron:
		return composed | r<<1 | second&8>>3
	}
	return 0
}

// claim notes the length of a character, and returns 0 if it has another one already.
func (m *multiByteCodec) claim(r rune, length uint8) rune {
	switch {
	case r == 0 || r > 0xFFFF: // a composed character has its base letter's length, and its accent alone has none
	case m.lengths[r] == 0:
		m.lengths[r] = length
	case m.lengths[r] != length:
		return 0
	}
	return r
}

func (m *multiByteCodec) decode(dst, src []byte, last bool) (written, read int) {
	for read < len(src) && len(dst)-written >= maxRune {
		if c := src[read]; c < utf8.RuneSelf {
			dst[written] = c
			written, read = written+1, read+1
			continue
		}
		r, size := m.next(src[read:], last)
		switch {
		case r == cutOff:
			return written, read
		case r == noRune:
			for range size {
				dst[written] = badByte
				written++
			}
		case r >= composed:
			written += utf8.EncodeRune(dst[written:], r&^composed>>1)
			written += utf8.EncodeRune(dst[written:], macron+r&1<<3)
		default:
			written += utf8.EncodeRune(dst[written:], r)
		}
		read += size
	}
	return written, read
}

// next decodes the character at the start of src, which is beyond ASCII. An ASCII byte that does not fit to the one before
// it is not taken for half of something undecodable, as it may well be a delimiter.
func (m *multiByteCodec) next(src []byte, last bool) (r rune, size int) {
	c := src[0]
	if r := m.singles[c]; r != 0 {
		return r, 1
	}
	if !m.leads[c] {
		return noRune, 1
	}
	if len(src) == 1 {
		return m.cut(src, last)
	}
	trail := src[1]
	if r := m.pairs[int(c&0x7F)<<8|int(trail)]; r != 0 {
		return r, 2
	}
	switch {
	case m.quads != nil && '0' <= trail && trail <= '9':
		return m.quad(src, last)
	case m.triples != nil && c == tripleLead && trail >= 0xA1 && trail <= 0xFE:
		return m.triple(src, last)
	case trail < utf8.RuneSelf:
		return noRune, 1
	}
	return noRune, 2
}

func (m *multiByteCodec) triple(src []byte, last bool) (rune, int) {
	if len(src) == 2 {
		return m.cut(src, last)
	}
	if src[2] < utf8.RuneSelf {
		return noRune, 2
	}
	if r := m.triples[int(src[1])<<8|int(src[2])]; r != 0 {
		return r, 3
	}
	return noRune, 3
}

func (m *multiByteCodec) quad(src []byte, last bool) (rune, int) {
	if len(src) > 2 && (src[2] < 0x81 || src[2] == 0xFF) || len(src) > 3 && (src[3] < '0' || src[3] > '9') {
		return noRune, 1
	}
	if len(src) < 4 {
		return m.cut(src, last)
	}
	i := ((int(src[0]-0x81)*10+int(src[1]-'0'))*126+int(src[2]-0x81))*10 + int(src[3]-'0')
	switch {
	case i < len(m.quads) && m.quads[i] != 0:
		return m.quads[i], 4
	case i >= quadsRest && i-quadsRest <= utf8.MaxRune-0x10000:
		return rune(i-quadsRest) + 0x10000, 4
	}
	return noRune, 4
}

// cut deals with a character that src ends within.
func (m *multiByteCodec) cut(src []byte, last bool) (rune, int) {
	if last {
		return noRune, len(src)
	}
	return cutOff, 0
}

func (m *multiByteCodec) length(decoded []byte) int64 {
	var n int64
	for i := 0; i < len(decoded); {
		if c := decoded[i]; c < utf8.RuneSelf || c == badByte {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRune(decoded[i:])
		switch {
		case r <= 0xFFFF:
			n += int64(m.lengths[r])
		case m.quads != nil:
			n += 4
		default:
			n += 2
		}
		i += size
	}
	return n
}
