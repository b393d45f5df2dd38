package csv

import (
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
}

func newInput(src io.Reader) input {
	return input{src: src, buf: make([]byte, inputSize+wordSize)[:inputSize]} // whoever reads words may read past the end
}

// offset is where the next byte lies in the source.
func (in *input) offset() int64 { return in.base + int64(in.pos) }

// window returns the bytes at hand, at least one. It fails with what the source ended with, io.EOF at its end.
func (in *input) window() ([]byte, error) {
	if in.pos == in.end {
		if err := in.refill(); err != nil {
			return nil, err
		}
	}
	return in.buf[in.pos:in.end], nil
}

// peek returns the next byte without consuming it. It fails like window.
func (in *input) peek() (byte, error) {
	if in.pos == in.end {
		if err := in.refill(); err != nil {
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

func (in *input) refill() error {
	in.shift()
	return in.more()
}

// extend reads bytes in behind those at hand, of which there are fewer than the buffer holds.
func (in *input) extend() error {
	in.shift()
	return in.more()
}

// shift moves the bytes at hand to the front.
func (in *input) shift() {
	if in.pos == 0 {
		return
	}
	copy(in.buf, in.buf[in.pos:in.end])
	in.base += int64(in.pos)
	in.vetted = max(in.vetted-in.pos, 0)
	in.pos, in.end = 0, in.end-in.pos
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
