package source

import (
	"fmt"
	"io"
)

// skipSize is how many bytes are read at once to be thrown away.
const skipSize = 64 << 10

// Skip reads on to the offset to, as a caller does that has these bytes from an earlier attempt. Its errors are those of Read,
// and [ErrChanged] if the file ends before, or if nothing can tell that the bytes are still the same: neither the server's
// validator nor a mark of the [Point] at to or behind it.
func (b *Body) Skip(to int64) error {
	if to < b.offset {
		return fmt.Errorf("skipping back from byte %d to %d", b.offset, to)
	}
	if to > b.offset && !b.Vouches(to) {
		return fmt.Errorf("%w: nothing vouches for its bytes up to %d", ErrChanged, to)
	}
	buffer := make([]byte, min(skipSize, to-b.offset))
	for b.offset < to {
		_, err := b.Read(buffer[:min(int64(len(buffer)), to-b.offset)])
		if err == io.EOF && b.offset < to {
			return fmt.Errorf("%w: it ends before byte %d", ErrChanged, to)
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}
