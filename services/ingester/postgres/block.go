package postgres

import "sync"

// BlockSize is the capacity of the buffers for blocks, in bytes.
const BlockSize = 256 << 10

// Block is some of a file's rows in the text format of COPY (PostgreSQL manual, COPY, "Text Format").
type Block struct {
	Data      []byte
	Delimiter byte   // the option DELIMITER that Data is written for
	Null      string // likewise the option NULL
	Count     int64  // of rows
	FirstLine int64  // of the first row, from 1
	End       int64  // byte offset in the source behind the last row
}

func (b Block) format() format { return format{b.Delimiter, b.Null} }

// buffers are the memory that blocks are made in, for all jobs of a process.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if array, ok := b.pool.Get().(*[BlockSize]byte); ok {
		return array[:0]
	}
	return make([]byte, 0, BlockSize)
}

// put takes a buffer back, unless it is one that had to grow.
func (b *buffers) put(data []byte) {
	if cap(data) == BlockSize {
		b.pool.Put((*[BlockSize]byte)(data[:BlockSize])) //nolint:gosec // its capacity is that
	}
}
