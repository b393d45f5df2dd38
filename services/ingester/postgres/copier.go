package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errClosed ends what a copier still has under way when it is closed.
var errClosed = errors.New("the copier was closed")

// Copier brings a file's rows into the staging table over several connections: it cuts them into batches, each of which
// is sent on one connection while the next ones are filled, and commits them side by side. The last one is published.
// A file of one batch is sent on one connection.
//
// Whoever writes faster than the database takes waits. A Copier is for one goroutine.
type Copier struct {
	load       *Load
	batchBytes int
	fileBytes  int64
	marks      func(around int64) (before, behind Mark)

	ctx     context.Context // ends with the first failure, which is its cause
	stop    context.CancelCauseFunc
	slots   chan struct{}  // holds one for each batch that was begun and has not ended
	sending sync.WaitGroup // the same, to be waited for

	batch *sentBatch // being filled; nil between two
	end   int64      // of what was written
}

// sentBatch is a batch with what is to be done once it is copied.
type sentBatch struct {
	*Batch
	finish func(tx pgx.Tx) error // set before the batch is closed
}

// CopierConfig says how a [Copier] is to share out a file.
type CopierConfig struct {
	Connections int   // at once, at most; at least 1
	BatchBytes  int   // of rows and rejects, at which a batch is closed
	FileBytes   int64 // the size of the source, or 0 if it is not known
	// Marks returns the latest mark at or before the end of what was written, and that of where the source was read to; nil if
	// there are none.
	Marks func(around int64) (before, behind Mark)
}

// minBatchBytes is how small batches become towards the end of a file.
const minBatchBytes = 1 << 20

// Copier returns a copier. It is to be closed when it is not used any more.
func (l *Load) Copier(ctx context.Context, config CopierConfig) *Copier {
	c := &Copier{
		load: l, batchBytes: config.BatchBytes, fileBytes: config.FileBytes, marks: config.Marks,
		slots: make(chan struct{}, max(config.Connections, 1)),
	}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	return c
}

// Buffer returns an empty buffer of capacity [BlockSize] for the data of a block.
func (c *Copier) Buffer() []byte { return c.load.db.buffers.get() }

// Write adds a block, whose data belongs to the copier from then on. It fails with whatever made a batch fail.
func (c *Copier) Write(block Block) error {
	if block.Extra && block.Count > 0 && !c.load.extra {
		if err := c.widen(block); err != nil {
			return err
		}
	}
	if c.batch != nil && (c.batch.size >= c.enough() || !c.batch.takes(block)) {
		c.Cut()
	}
	if c.batch == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	if err := c.load.observe(c.batch.Batch, block); err != nil {
		return err
	}
	c.end = block.End
	return c.batch.Append(c.ctx, block)
}

// enough is how many bytes a batch is closed at. Towards the end of the file that is fewer and fewer, so that all
// connections come to an end at about the same time.
func (c *Copier) enough() int {
	rest := c.fileBytes - c.end
	if rest <= 0 {
		return c.batchBytes
	}
	return int(min(int64(c.batchBytes), max(rest/int64(2*cap(c.slots)), minBatchBytes)))
}

// Cut lets the rows written so far be committed, and does not wait for it.
func (c *Copier) Cut() {
	if b := c.batch; b != nil {
		if c.marks != nil {
			b.before, b.behind = c.marks(c.end)
		}
		b.finish = func(tx pgx.Tx) error { return c.load.commitBatch(c.ctx, tx, b.Batch) }
		b.Close()
		c.batch = nil
	}
}

// Skip goes on at a byte offset behind what is committed already.
func (c *Copier) Skip(to int64) {
	c.Cut()
	c.end = to
}

// Flush lets the rows written so far be committed, and waits for it. It fails with whatever made a batch fail.
func (c *Copier) Flush() error {
	c.Cut()
	c.sending.Wait()
	return context.Cause(c.ctx)
}

// begin starts the next batch, on a connection that is got first: all batches that another one may wait for have theirs.
func (c *Copier) begin() error {
	select {
	case c.slots <- struct{}{}:
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	conn, err := c.load.acquire(c.ctx)
	if err != nil {
		<-c.slots
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx) // which the driver does not tell
		}
		return err
	}
	c.batch = &sentBatch{Batch: NewBatch(c.end)}
	c.sending.Add(1)
	go c.send(conn, c.batch)
	return nil
}

func (c *Copier) send(conn *pgxpool.Conn, b *sentBatch) {
	defer c.sending.Done()
	defer func() { <-c.slots }()
	defer conn.Release()
	if err := c.load.send(c.ctx, conn, b.Batch, func(tx pgx.Tx) error { return b.finish(tx) }); err != nil {
		c.stop(err)
	}
}

// Publish makes the dataset of all that was written, which is on the server's disk before it returns; the file ends at byte
// offset end. It asks for the description of the dataset once all rows are copied. It fails with an [events.Failure] of
// code table_exists if a name that was asked for is taken.
func (c *Copier) Publish(end int64, describe func() Publication) (*Outcome, error) {
	if c.batch == nil {
		if err := c.begin(); err != nil {
			return nil, err
		}
	}
	for range cap(c.slots) - 1 { // until all other batches are committed
		select {
		case c.slots <- struct{}{}:
		case <-c.ctx.Done():
			return nil, context.Cause(c.ctx)
		}
	}
	var outcome *Outcome
	last := c.batch
	last.End = end
	last.finish = func(tx pgx.Tx) (err error) {
		outcome, err = c.load.publish(c.ctx, tx, last.Batch, describe())
		return err
	}
	last.Close()
	c.sending.Wait()
	if outcome != nil {
		return outcome, nil // whatever has ended since
	}
	return nil, context.Cause(c.ctx)
}

// Close ends what is still under way, and returns once nothing is.
func (c *Copier) Close() {
	c.stop(errClosed)
	c.sending.Wait()
}
