package csv

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// charset is a character encoding. The zero charset is UTF-8.
type charset struct {
	name  string
	codec codec
}

// codec knows how characters are encoded.
type codec interface {
	// decode turns as much of src into UTF-8 as dst has room for, at least one character if dst has room for maxRune
	// bytes and src holds a whole character. Bytes that are none become badByte each, and so do those of a character that
	// last says is cut.
	decode(dst, src []byte, last bool) (written, read int)
	// length is how many bytes of a source decode wrote as these, which begin and end between characters.
	length(decoded []byte) int64
}

const (
	badByte = 0xFF // stands for a byte that is undecodable, as it occurs nowhere in UTF-8
	maxRune = 4    // bytes of UTF-8 that a character takes at most; so do the two runes that some of Big5's are
)

// isUTF8 reports whether text of the charset is taken as it is.
func (cs charset) isUTF8() bool { return cs.codec == nil }

func (cs charset) String() string {
	if cs.isUTF8() {
		return "UTF-8"
	}
	return cs.name
}

// isUTF16 reports UTF-16 of either byte order.
func (cs charset) isUTF16() bool {
	_, ok := cs.codec.(utf16Codec)
	return ok
}

// sourceLength is how many bytes of the source were decoded to these, which begin and end between characters.
func (cs charset) sourceLength(decoded []byte) int64 {
	if cs.isUTF8() {
		return int64(len(decoded))
	}
	return cs.codec.length(decoded)
}

func utf16LE() charset { return charset{"UTF-16LE", utf16Codec{}} }
func utf16BE() charset { return charset{"UTF-16BE", utf16Codec{bigEndian: true}} }

// findCharset knows the labels of the WHATWG Encoding Standard, save those of encodings that are not for files of data:
// the ones with a state, such as ISO-2022-JP, whose bytes mean nothing without all those before them.
func findCharset(label string) (charset, bool) {
	enc, err := htmlindex.Get(label)
	if err != nil {
		return charset{}, false
	}
	key, err := htmlindex.Name(enc)
	if err != nil {
		return charset{}, false
	}
	switch key {
	case "utf-8":
		return charset{}, true
	case "utf-16le":
		return utf16LE(), true
	case "utf-16be":
		return utf16BE(), true
	case "x-user-defined":
		return charset{}, false
	}
	if codec := multiByte(key); codec != nil {
		return charset{charsetName(key), codec}, true
	}
	if table, ok := singleByteTable(enc); ok {
		return charset{charsetName(key), newSingleByte(table)}, true
	}
	return charset{}, false
}

// singleByteTable is the encoding's where it has one.
func singleByteTable(enc encoding.Encoding) (*charmap.Charmap, bool) {
	if table, ok := enc.(*charmap.Charmap); ok {
		return table, true
	}
	if enc == charmap.ISO8859_8I { // which differs in the direction of the text only
		return charmap.ISO8859_8, true
	}
	return nil, false
}

// charsetName writes a name as it is usual.
func charsetName(key string) string {
	switch {
	case key == "shift_jis":
		return "Shift_JIS"
	case key == "big5":
		return "Big5"
	case key == "gb18030" || key == "macintosh" || strings.HasPrefix(key, "windows-") || strings.HasPrefix(key, "x-"):
		return key
	}
	return strings.ToUpper(key)
}

// undecodable counts the bytes of a sample that are no characters. A character that a sample cuts is fine.
func (cs charset) undecodable(sample []byte, complete bool) int {
	if cs.isUTF8() {
		return countUTF8(sample, complete).bad
	}
	var buf [4 << 10]byte
	bad := 0
	for {
		written, read := cs.codec.decode(buf[:], sample, complete)
		if read == 0 {
			return bad
		}
		for _, c := range buf[:written] {
			if c == badByte {
				bad++
			}
		}
		sample = sample[read:]
	}
}

// census counts what is beyond ASCII.
type census struct{ bad, good int }

// countUTF8 counts a sample's bytes that are not UTF-8, and its characters beyond ASCII that are.
func countUTF8(sample []byte, complete bool) census {
	var c census
	for len(sample) > 0 {
		if sample[0] < utf8.RuneSelf {
			sample = sample[1:]
			continue
		}
		if !complete && !utf8.FullRune(sample) {
			break
		}
		r, size := utf8.DecodeRune(sample)
		if r == utf8.RuneError && size == 1 {
			c.bad++
		} else {
			c.good++
		}
		sample = sample[size:]
	}
	return c
}
