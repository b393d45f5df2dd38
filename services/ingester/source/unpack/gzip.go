package unpack

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gzipMembers decompresses gzip (RFC 1952), all members one after the other, as parallel compressors and cat make them.
type gzipMembers struct {
	src    *bufio.Reader
	member *gzip.Reader // nil before the first one
	within bool
}

// Read implements [io.Reader].
func (g *gzipMembers) Read(p []byte) (int, error) {
	for {
		if !g.within {
			if err := g.next(); err != nil {
				return 0, err
			}
		}
		n, err := g.member.Read(p)
		if err == io.EOF { //nolint:errorlint // a wrapped one is not the end
			g.within, err = false, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next begins the next member. io.EOF means that there is none.
func (g *gzipMembers) next() error {
	head, err := g.src.Peek(2)
	switch {
	case g.member == nil: // it was looked at already
	case len(head) == 0:
		return err
	case head[0] == 0: // padding, if nothing but that
		return io.EOF
	case head[0] != 0x1F || len(head) == 2 && head[1] != 0x8B:
		return trailing(0)
	}
	if g.member == nil {
		g.member = new(gzip.Reader)
	}
	if err := g.member.Reset(g.src); err != nil {
		if err == io.EOF { //nolint:errorlint // a wrapped one is not the end
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	g.member.Multistream(false)
	g.within = true
	return nil
}
