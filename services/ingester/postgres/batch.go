package postgres

import (
	"context"
	"io"
	"strings"

	"sluice/pkg/events"
	"sluice/services/ingester/postgres/types"
)

// Batch is a run of rows that is committed together with its row in the ledger. It may be under way already while it is
// filled: whoever sends it waits for more blocks until it is closed.
type Batch struct {
	Start     int64 // byte offset in the source at which the batch begins: the end of the one before
	End       int64 // byte offset behind its last row; may be set until the batch is closed
	FirstLine int64 // of its first row, from 1, be it rejected or not
	Rows      int64

	number  int64 // in the ledger, once it is copied
	size    int   // of the blocks, in bytes
	format  format
	blocks  chan []byte
	rejects []Reject

	nextLine int64 // of the byte at End; 0 if that is not known
	warnings []events.Warning
	types    types.Columns // what the values have been; nil if types are not inferred
	before   Mark          // at or before End
	behind   Mark          // at or behind it
}

// format is what COPY is told of the blocks.
type format struct {
	delimiter byte
	null      string
	extra     bool
}

// blocksAhead is how many blocks a batch takes before any is sent: enough for one of the usual size.
const blocksAhead = 48

// NewBatch returns an empty batch that begins at byte offset start of the source.
func NewBatch(start int64) *Batch {
	return &Batch{Start: start, End: start, blocks: make(chan []byte, blocksAhead)}
}

// Append adds a block that the batch takes; its data belongs to the batch from then on. Where the batch is far ahead of its
// sender, it waits, and fails only when ctx ends.
func (b *Batch) Append(ctx context.Context, block Block) error {
	if b.Rows == 0 {
		b.format = block.format()
		if len(b.rejects) == 0 {
			b.FirstLine = block.firstLine()
		}
	}
	b.Rows += block.Count
	b.rejects = append(b.rejects, block.Rejects...)
	b.warnings = events.MergeWarnings(b.warnings, block.Warnings)
	b.End, b.nextLine = block.End, block.NextLine
	b.size += block.size()
	select {
	case b.blocks <- block.Data:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takes reports whether the rows of a block can be copied together with those before.
func (b *Batch) takes(block Block) bool {
	return b.Rows == 0 || block.Count == 0 || b.format == block.format()
}

// Close says that no more blocks come.
func (b *Batch) Close() { close(b.blocks) }

// blockReader hands out the bytes of a batch's blocks, and gives their memory back.
type blockReader struct {
	ctx     context.Context
	blocks  <-chan []byte
	buffers *buffers
	block   []byte // in hand
	read    int    // of it
}

// next takes the next block in hand, and reports whether there is one.
func (r *blockReader) next() (bool, error) {
	r.buffers.put(r.block)
	r.block, r.read = nil, 0
	select {
	case block, ok := <-r.blocks:
		r.block = block
		return ok, nil
	case <-r.ctx.Done():
		return false, context.Cause(r.ctx)
	}
}

// Read implements [io.Reader].
func (r *blockReader) Read(p []byte) (int, error) {
	for r.read == len(r.block) {
		ok, err := r.next()
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, io.EOF
		}
	}
	n := copy(p, r.block[r.read:])
	r.read += n
	return n, nil
}

// options are those of a COPY of the format.
func (f format) options() string {
	return "(DELIMITER " + literal(string(rune(f.delimiter))) + ", NULL " + literal(f.null) + ")"
}

// literal quotes a string constant, whatever standard_conforming_strings is.
func literal(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
