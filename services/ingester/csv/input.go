package csv

import (
	"bytes"
	"io"
	"unicode/utf8"
)

const (
	inputSize  = 256 << 10 // bytes read from the source at once
	cleanSize  = 32 << 10  // bytes looked at closely at once; they should fit into the processor's first cache
	emptyReads = 100       // tolerated in a row before the source counts as broken
)

// input hands out the source's bytes in pieces and knows the offset of the next one.
type input struct {
	src  io.Reader
	buf  []byte
	pos  int   // of the next byte in buf
	end  int   // behind the last byte in buf
	base int64 // offset in the source of buf[0]
	err  error // what the source ended with

	vetted int // up to where the bytes in buf are known to be clean

	kept int    // from where on the bytes in buf are kept until they are released; -1 if none are
	most int    // bytes to keep
	lost []byte // the first ones of those that were too many to be kept

	// Where the source is decoded, offsets in it are not those in its text.
	charset charset
	counted int   // up to where the bytes in buf are counted
	origin  int64 // offset in the source of the byte there
}

// newInput keeps so many bytes of a row, or as many as its buffer holds anyway.
func newInput(src io.Reader, keep int) input {
	return input{src: src, buf: newBuffer(inputSize), kept: -1, most: keep}
}

// newBuffer has a word more of capacity: whoever reads words may read past the end.
func newBuffer(size int) []byte { return make([]byte, size+wordSize)[:size] }

// offset is where the next byte lies in the source's text.
func (in *input) offset() int64 { return in.base + int64(in.pos) }

// source is where the next byte lies in the source.
func (in *input) source() int64 {
	if in.charset.isUTF8() {
		return in.offset()
	}
	in.count(in.pos)
	return in.origin
}

func (in *input) count(upTo int) {
	in.origin += in.charset.sourceLength(in.buf[in.counted:upTo])
	in.counted = upTo
}

// length is how many bytes of the source made some of its text.
func (in *input) length(text []byte) int64 {
	if in.charset.isUTF8() {
		return int64(len(text))
	}
	return in.charset.sourceLength(text)
}

// keep holds on to the bytes from the next one on, so that they can be returned to.
func (in *input) keep() { in.kept = in.pos }

// release lets go of what was kept.
func (in *input) release() { in.kept = -1 }

// unread returns to the first byte that was kept, whose offset in the source is told. It reports whether that is still at
// hand.
func (in *input) unread(source int64) bool {
	if in.kept < 0 {
		return false
	}
	in.pos = in.kept
	if !in.charset.isUTF8() {
		in.counted, in.origin = in.pos, source
	}
	return true
}

// atHand returns the bytes at hand, which may be none.
func (in *input) atHand() []byte { return in.buf[in.pos:in.end] }

// has reports whether this is what lies next.
func (in *input) has(text []byte) (bool, error) {
	for !bytes.HasPrefix(in.atHand(), text) {
		if !bytes.HasPrefix(text, in.atHand()) {
			return false, nil
		}
		if err := in.extend(); isEnd(err) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// window returns the bytes at hand, at least one. It fails with what the source ended with, io.EOF at its end.
func (in *input) window() ([]byte, error) {
	if in.pos == in.end {
		if err := in.extend(); err != nil {
			return nil, err
		}
	}
	return in.buf[in.pos:in.end], nil
}

// peek returns the next byte without consuming it. It fails like window.
func (in *input) peek() (byte, error) {
	if in.pos == in.end {
		if err := in.extend(); err != nil {
			return 0, err
		}
	}
	return in.buf[in.pos], nil
}

// second returns the byte behind the next one, which is at hand, without consuming either. It fails like window.
func (in *input) second() (byte, error) {
	if in.pos+1 == in.end {
		if err := in.extend(); err != nil {
			return 0, err
		}
	}
	return in.buf[in.pos+1], nil
}

// isEnd reports whether the source ended well. An error that merely wraps io.EOF tells of a source that broke off.
func isEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

// clean returns the next bytes at hand that have no NUL and are UTF-8, as many as a cache of the processor holds but more
// than the last time if those were left, and says what ends them.
func (in *input) clean() (bytes []byte, by border) {
	in.vetted = max(in.vetted, in.pos)
	if next := in.buf[in.vetted:in.end]; len(next) > 0 {
		in.vetted += cleanLength(next[:min(len(next), cleanSize)])
	}
	switch rest := in.buf[in.vetted:in.end]; {
	case len(rest) == 0 || rest[0] != 0 && !utf8.FullRune(rest):
		by = borderEnd
	case rest[0] == 0 || firstInvalid(rest[:min(len(rest), utf8.UTFMax)]) == 0:
		by = borderDirt
	}
	return in.buf[in.pos:in.vetted], by
}

// border says what ends a piece of input.
type border int

const (
	borderNone border = iota // there is more
	borderEnd                // nothing more is at hand
	borderDirt               // a NUL, or what is not UTF-8
)

// extend reads bytes in behind those at hand.
func (in *input) extend() error {
	in.shift()
	return in.more()
}

// shift moves the bytes at hand and the kept ones to the front, and sees to it that there is room behind them.
func (in *input) shift() {
	from := in.pos
	if in.kept >= 0 {
		from = in.kept
	}
	if from > 0 {
		in.moveUp(from)
	}
	if len(in.buf)-in.end >= decoderRoom {
		return
	}
	if in.kept >= 0 && in.pos > 0 && len(in.buf) >= in.most {
		in.lost = append(in.lost[:0], firstBytes(in.buf[in.kept:in.end])...)
		in.release()
		in.shift()
		return
	}
	larger := newBuffer(2 * len(in.buf))
	copy(larger, in.buf[:in.end])
	in.buf = larger
}

// moveUp moves the bytes from a place on to the front.
func (in *input) moveUp(from int) {
	if !in.charset.isUTF8() {
		in.count(in.pos)
		in.counted -= from
	}
	copy(in.buf, in.buf[from:in.end])
	in.base += int64(from)
	in.vetted = max(in.vetted-from, 0)
	in.pos, in.end = in.pos-from, in.end-from
	in.kept = max(in.kept-from, -1)
}

// more reads bytes in behind those at hand.
func (in *input) more() error {
	for range emptyReads {
		if in.err != nil {
			return in.err
		}
		n, err := in.src.Read(in.buf[in.end:])
		in.end += n
		in.err = err // due only after the bytes that came with it
		if n > 0 {
			return nil
		}
	}
	if in.err == nil {
		in.err = io.ErrNoProgress
	}
	return in.err
}
