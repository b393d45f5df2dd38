package unpack

import (
	"bufio"
	"bytes"
	"io"
)

// storedMember is one that is neither compressed nor of known size, as archivers write that cannot seek. It ends where its own
// checksum and length follow.
type storedMember struct {
	src     *bufio.Reader
	content *zipContent // which has summed up what was handed out
	size    int64
}

func (m *storedMember) taken() int64 { return m.size }

// Read implements [io.Reader].
func (m *storedMember) Read(p []byte) (int, error) {
	if _, err := m.src.Peek(len(descriptorSignature)); err != nil {
		return 0, unexpected(err)
	}
	window, _ := m.src.Peek(min(m.src.Buffered(), len(p)+len(descriptorSignature)))
	n := bytes.Index(window, []byte(descriptorSignature))
	switch {
	case n == 0 && m.ended():
		return 0, io.EOF
	case n == 0:
		n = 1
	case n < 0: // its start may be at the end
		n = len(window) - len(descriptorSignature) + 1
	}
	n, err := m.src.Read(p[:min(n, len(p))])
	m.size += int64(n)
	return n, err
}

// ended reports whether what follows the signature is true of all that was handed out.
func (m *storedMember) ended() bool {
	told := zipEntry{crc: m.content.crc.Sum32(), size: m.size, length: m.size}
	for _, d := range told.descriptors() {
		if head, err := m.src.Peek(len(d)); err == nil && bytes.Equal(head, d) {
			return true
		}
	}
	return false
}
