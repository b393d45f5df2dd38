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

// Copier returns a copier that uses no more than so many connections, and closes a batch when it has so many bytes. It is
// to be closed when it is not used any more.
func (l *Load) Copier(ctx context.Context, connections, batchBytes int) *Copier {
	c := &Copier{load: l, batchBytes: batchBytes, slots: make(chan struct{}, max(connections, 1))}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	return c
}

// Buffer returns an empty buffer of capacity [BlockSize] for the data of a block.
func (c *Copier) Buffer() []byte { return c.load.db.buffers.get() }

// Write adds a block, whose data belongs to the copier from then on. It fails with whatever made a batch fail.
func (c *Copier) Write(block Block) error {
	if c.batch != nil && (c.batch.size >= c.batchBytes || c.batch.format != block.format()) {
		c.Cut()
	}
	if c.batch == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	c.end = block.End
	return c.batch.Append(c.ctx, block)
}

// Cut lets the rows written so far be committed, and does not wait for it.
func (c *Copier) Cut() {
	if b := c.batch; b != nil {
		b.finish = func(tx pgx.Tx) error { return c.load.commitBatch(c.ctx, tx, b.Batch) }
		b.Close()
		c.batch = nil
	}
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

// Publish makes the dataset of all that was written; the file ends at byte offset end. See [Load.Publish].
func (c *Copier) Publish(end int64, p Publication) (*Outcome, error) {
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
		outcome, err = c.load.publish(c.ctx, tx, last.Batch, p)
		return err
	}
	last.Close()
	c.sending.Wait()
	return outcome, context.Cause(c.ctx)
}

// Close ends what is still under way, and returns once nothing is.
func (c *Copier) Close() {
	c.stop(errClosed)
	c.sending.Wait()
}
