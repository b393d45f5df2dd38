package source

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding"
	"fmt"
	"hash"
	"io"
	"slices"
)

// digestSize is a little more than a SHA-256's state takes.
const digestSize = 112

// Mark recognises the first Offset bytes of a file by the [Body.Digest] after them.
type Mark struct {
	Offset int64
	Digest []byte
}

// mark is a Mark made ready to be compared.
type mark struct {
	offset int64
	sum    []byte
}

// sorted makes marks ready, in the order in which they are passed. A mark without a digest or at 0 says nothing.
func sorted(marks []Mark) ([]mark, error) {
	var list []mark
	for _, m := range marks {
		if m.Offset <= 0 || len(m.Digest) == 0 {
			continue
		}
		h, err := restoreHash(m.Digest)
		if err != nil {
			return nil, err
		}
		list = append(list, mark{m.Offset, h.Sum(nil)})
	}
	slices.SortFunc(list, func(a, b mark) int { return cmp.Compare(a.offset, b.offset) })
	return list, nil
}

// restoreHash returns a hash in a state that [Body.Digest] told.
func restoreHash(state []byte) (hash.Hash, error) {
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return nil, fmt.Errorf("restoring a digest: %w", err)
	}
	return h, nil
}

// Digest returns the state of the SHA-256 of all decompressed bytes before Offset, to be kept for a [Point].
func (b *Body) Digest() []byte {
	state, _ := b.hash.(encoding.BinaryAppender).AppendBinary(make([]byte, 0, digestSize)) // never fails
	return state
}

// Vouches reports whether bytes before an offset may be left out that an earlier attempt has kept: either the server has proven
// that the file is the same, or a mark of the [Point] lies at the offset or behind it.
func (b *Body) Vouches(to int64) bool { return b.proven || to <= b.covered }

// pass compares what was read with the marks that reading has come to.
func (b *Body) pass() error {
	for len(b.marks) > 0 && b.marks[0].offset == b.offset {
		if !bytes.Equal(b.marks[0].sum, b.hash.Sum(nil)) {
			return fmt.Errorf("%w: its first %d bytes are others", ErrChanged, b.offset)
		}
		b.marks = b.marks[1:]
	}
	return nil
}

// ended is what the file's end means: that of a file with marks behind it is too early.
func (b *Body) ended() error {
	if len(b.marks) > 0 {
		return fmt.Errorf("%w: it ends before byte %d", ErrChanged, b.marks[0].offset)
	}
	return io.EOF
}

// untilMark shortens p so that reading stops at the next mark.
func (b *Body) untilMark(p []byte) []byte {
	if len(b.marks) == 0 {
		return p
	}
	return p[:min(int64(len(p)), b.marks[0].offset-b.offset)]
}
