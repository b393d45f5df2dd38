package postgres

import (
	"sync"

	"sluice/pkg/events"
)

// BlockSize is the capacity of the buffers for blocks, in bytes.
const BlockSize = 256 << 10

// Block is some of a file's rows in the text format of COPY (PostgreSQL manual, COPY, "Text Format"), and the rows among
// them that were rejected. In a job with lineage the last value of each row is its line.
type Block struct {
	Data      []byte // may be empty where there are rejects
	Delimiter byte   // the option DELIMITER that Data is written for
	Null      string // likewise the option NULL
	Extra     bool   // each row has one more value, of type text[]: those for which the file has no column
	Count     int64  // of rows in Data
	FirstLine int64  // of the first row in Data, from 1
	End       int64  // byte offset in the source behind the last row, be it rejected or not
	NextLine  int64  // of the byte there
	Rejects   []Reject
	Warnings  []events.Warning // about these rows
}

func (b Block) format() format { return format{b.Delimiter, b.Null, b.Extra} }

// firstLine is that of the first row, be it rejected or not.
func (b Block) firstLine() int64 {
	if len(b.Rejects) > 0 && (b.Count == 0 || b.Rejects[0].Line < b.FirstLine) {
		return b.Rejects[0].Line
	}
	return b.FirstLine
}

// size is how many bytes of memory the block takes.
func (b Block) size() int {
	n := len(b.Data)
	for _, r := range b.Rejects {
		n += r.size()
	}
	return n
}

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
