package csv

import "io"

const (
	inputSize  = 64 << 10 // bytes read from the source at once
	emptyReads = 100      // tolerated in a row before the source counts as broken
)

// input hands out the source's bytes in pieces and knows the offset of the next one.
type input struct {
	src  io.Reader
	buf  []byte
	pos  int   // of the next byte in buf
	end  int   // behind the last byte in buf
	base int64 // offset in the source of buf[0]
	err  error // what the source ended with
}

func newInput(src io.Reader) input {
	return input{src: src, buf: make([]byte, inputSize)}
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

// isEnd reports whether the source ended well. An error that merely wraps io.EOF tells of a source that broke off.
func isEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

func (in *input) refill() error {
	in.base += int64(in.pos)
	in.pos, in.end = 0, 0
	return in.more()
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
