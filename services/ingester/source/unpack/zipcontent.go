package unpack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// zipContent is a member's content, decompressed. It ends with what is told behind it, if anything is, and fails if that, or
// what was told before it, is not true of the content.
type zipContent struct {
	src    *bufio.Reader
	entry  *zipEntry
	raw    rawMember
	data   io.Reader // decompressed
	crc    hash.Hash32
	length int64 // of what was read
}

// rawMember is the compressed content of a member.
type rawMember interface {
	io.Reader // and io.ByteReader if it is deflated, or else what follows would be read, too
	taken() int64
}

// newZipContent returns the content of a member whose header was just read. Once it is read to its end, its entry is complete.
func newZipContent(src *bufio.Reader, entry *zipEntry) (*zipContent, error) {
	if err := entry.unfit(); err != nil {
		return nil, err
	}
	c := &zipContent{src: src, entry: entry, crc: crc32.NewIEEE()}
	switch {
	case !entry.streamed:
		c.raw = &sizedMember{src: src, left: entry.size, size: entry.size}
	case entry.method == zipStored:
		c.raw = &storedMember{src: src, content: c}
	default:
		c.raw = &streamedMember{src: src}
	}
	c.data = c.raw
	if entry.method == zipDeflated {
		c.data = flate.NewReader(c.raw)
	}
	return c, nil
}

// Read implements [io.Reader].
func (c *zipContent) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	c.crc.Write(p[:n])
	c.length += int64(n)
	if err == io.ErrUnexpectedEOF && !c.entry.streamed && c.raw.taken() == c.entry.size { //nolint:errorlint // of the decompressor itself
		return n, damaged("a member ends before its data does")
	}
	if err == io.EOF {
		if err := c.end(); err != nil {
			return n, err
		}
		return n, io.EOF
	}
	return n, err
}

// end compares the content with what is told of it.
func (c *zipContent) end() error {
	if c.entry.streamed {
		c.entry.crc, c.entry.size, c.entry.length = c.crc.Sum32(), c.raw.taken(), c.length
		return c.descriptor()
	}
	switch {
	case c.raw.taken() != c.entry.size:
		return damaged("a member is shorter than it is said to be")
	case c.length != c.entry.length:
		return damaged("a member has another length than it is said to have")
	case c.crc.Sum32() != c.entry.crc:
		return damaged("the checksum of a member is another one")
	}
	return nil
}

// descriptor skips what is told behind the content (section 4.3.9). That comes with a signature or without, and in 32 bits or
// in 64, and nothing says how; but all of it is known.
func (c *zipContent) descriptor() error {
	why := error(damaged("what is told behind a member is not true of it"))
	for _, d := range c.entry.descriptors() {
		head, err := c.src.Peek(len(d))
		switch {
		case err == nil && bytes.Equal(head, d):
			_, err := c.src.Discard(len(d))
			return err
		case err == io.EOF && bytes.HasPrefix(d, head):
			why = io.ErrUnexpectedEOF
		case err != nil && err != io.EOF:
			return err
		}
	}
	return why
}

// descriptors are the ways in which an entry can be told behind its content, the longest first.
func (e *zipEntry) descriptors() [][]byte {
	at := binary.LittleEndian
	checksum := at.AppendUint32(nil, e.crc)
	large := at.AppendUint64(at.AppendUint64(nil, uint64(e.size)), uint64(e.length)) //nolint:gosec // never negative
	small := at.AppendUint32(at.AppendUint32(nil, uint32(e.size&wide)), uint32(e.length&wide))
	list := make([][]byte, 0, 4)
	for _, sizes := range [][]byte{large, small} {
		for _, signature := range []string{descriptorSignature, ""} {
			list = append(list, append(append([]byte(signature), checksum...), sizes...))
		}
	}
	return list
}

const descriptorSignature = "PK\x07\x08"

// sizedMember is one whose size is known.
type sizedMember struct {
	src        *bufio.Reader
	left, size int64
}

func (m *sizedMember) taken() int64 { return m.size - m.left }

// Read implements [io.Reader].
func (m *sizedMember) Read(p []byte) (int, error) {
	if m.left == 0 {
		return 0, io.EOF
	}
	n, err := m.src.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, unexpected(err)
}

// ReadByte implements [io.ByteReader].
func (m *sizedMember) ReadByte() (byte, error) {
	if m.left == 0 {
		return 0, io.EOF
	}
	b, err := m.src.ReadByte()
	if err == nil {
		m.left--
	}
	return b, unexpected(err)
}

// streamedMember is a deflated one, whose end is in its data.
type streamedMember struct {
	src  *bufio.Reader
	size int64
}

func (m *streamedMember) taken() int64 { return m.size }

// Read implements [io.Reader].
func (m *streamedMember) Read(p []byte) (int, error) {
	n, err := m.src.Read(p)
	m.size += int64(n)
	return n, err
}

// ReadByte implements [io.ByteReader].
func (m *streamedMember) ReadByte() (byte, error) {
	b, err := m.src.ReadByte()
	if err == nil {
		m.size++
	}
	return b, err
}
