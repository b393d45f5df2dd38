package csv

import "io"

const (
	decoderSize = 64 << 10 // bytes read from the source at once
	decoderRoom = 64       // bytes that are decoded into at once; a reader with less room gets them by and by
)

// decoder reads a source in another encoding as UTF-8. Each byte of it that is undecodable is read as badByte.
type decoder struct {
	src   io.Reader
	codec codec
	buf   []byte
	pos   int // of the next byte in buf
	end   int // behind the last byte in buf
	err   error

	spare [decoderRoom]byte
	left  []byte // of spare
}

// newDecoder reads src as UTF-8. The bytes of a source that is UTF-8 pass as they are, valid or not.
func newDecoder(src io.Reader, cs charset) io.Reader {
	if cs.isUTF8() {
		return src
	}
	return &decoder{src: src, codec: cs.codec, buf: make([]byte, decoderSize)}
}

// Read decodes what is at hand before it reads on, and reads only as often as it takes to have something to give.
func (d *decoder) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if len(d.left) > 0 {
			n := copy(p, d.left)
			d.left = d.left[n:]
			return n, nil
		}
		if len(p) >= decoderRoom {
			if n := d.decode(p); n > 0 {
				return n, nil
			}
		} else if n := d.decode(d.spare[:]); n > 0 {
			d.left = d.spare[:n]
			continue
		}
		if d.err != nil {
			return 0, d.err
		}
		if n := d.fill(); n == 0 && d.err == nil {
			return 0, nil // the source's reader is to judge how often that may be
		}
	}
}

func (d *decoder) decode(dst []byte) int {
	written, read := d.codec.decode(dst, d.buf[d.pos:d.end], isEnd(d.err))
	d.pos += read
	return written
}

// fill reads on behind the start of a character that is at hand.
func (d *decoder) fill() int {
	copy(d.buf, d.buf[d.pos:d.end])
	d.pos, d.end = 0, d.end-d.pos
	n, err := d.src.Read(d.buf[d.end:])
	d.end += n
	d.err = err
	return n
}
