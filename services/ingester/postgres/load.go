package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/pkg/events"
)

// Load is one worker's hold on one run of a job. It ends with [Copier.Publish], [Load.Fail] or [Load.Cancel], or with
// [ErrFenceLost] from any of its methods once another worker has opened the job. After [ErrUncertain] the job must be
// opened again. A Load is for one goroutine, but for what its [Copier] has under way.
type Load struct {
	Claim
	db       *Database
	fence    int64
	columns  []events.Column
	extra    bool  // whether the staging table has the column _extra
	firstRow int64 // byte offset in the source of the first row
	kept     *Kept

	numbers   atomic.Int64 // of batches, given out so far
	committed atomic.Int64 // batches
	progress  atomic.Int64 // the latest attempt that came further
	restarted int64        // the latest attempt that discarded what was committed; 0 if none has
}

// Fence returns the load's fence: 1 for the first worker that opened the job, and one more for each later.
func (l *Load) Fence() int64 { return l.fence }

// Progress returns the latest attempt of the run that has committed anything without discarding what was committed before,
// or 0 if none has.
func (l *Load) Progress() int { return int(l.progress.Load()) }

// Prepare makes the staging table, with one column for each of the file's, and keeps in the ledger how the file is read.
// What earlier attempts have left is discarded.
func (l *Load) Prepare(ctx context.Context, file File) error {
	return l.underFence(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		if l.kept != nil {
			if err := l.restart(ctx, tx); err != nil {
				return err
			}
		}
		if err := l.forgetRejects(ctx, tx); err != nil {
			return err
		}
		l.columns, l.firstRow = slices.Clone(file.Columns), file.Begin
		if err := l.stateTypes(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, l.createStaging()); err != nil {
			if len(l.Spec.Types.Stated) > 0 && hasState(err, stateInvalidTable) {
				err = typeUnknown(err, "the types of the columns")
			}
			return err
		}
		if err := l.readStated(ctx, tx); err != nil {
			return err
		}
		if err := l.checkTarget(ctx, tx); err != nil {
			return err
		}
		decided := make([][]byte, 3)
		for i, v := range []any{l.columns, file.Dialect, file.Warnings} {
			data, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("encoding for the ledger: %w", err)
			}
			decided[i] = data
		}
		_, err := tx.Exec(ctx, `UPDATE sluice.loads SET columns = $2, dialect = $3, warnings = $4, source = $5, begin_offset = $6,
			begin_line = $7 WHERE job_id = $1`,
			l.JobID, decided[0], decided[1], decided[2], known(string(file.Source)), file.Begin, known(file.Line))
		return err
	})
}

// send copies a batch in a transaction of its own, and leaves it to finish how that ends.
func (l *Load) send(ctx context.Context, conn *pgxpool.Conn, b *Batch, finish func(tx pgx.Tx) error) error {
	tx, err := l.beginOn(ctx, conn)
	if err != nil {
		return err
	}
	defer rollback(ctx, tx)
	if err := l.copy(ctx, tx, b); err != nil {
		return err
	}
	b.number = l.numbers.Add(1)
	if err := l.copyRejects(ctx, tx, b); err != nil {
		return err
	}
	return finish(tx)
}

// copy sends the rows of a batch, as they come.
func (l *Load) copy(ctx context.Context, tx pgx.Tx, b *Batch) error {
	rows := &blockReader{ctx: ctx, blocks: b.blocks, buffers: &l.db.buffers}
	for len(rows.block) == 0 { // as long as all are rejected
		if some, err := rows.next(); !some {
			return err
		}
	}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, rows, l.copyRows(b.format)); err != nil {
		return fmt.Errorf("copying rows of job %s: %w", l.JobID, nearLine(stagingFailure(err), b.FirstLine))
	}
	return nil
}

// commitBatch commits a batch that was copied. Its rows, its rejects and its ledger row reach the disk together or not at
// all, so that the disk need not be waited for.
func (l *Load) commitBatch(ctx context.Context, tx pgx.Tx, b *Batch) error {
	last := new(pgx.Batch)
	last.Queue("SET LOCAL synchronous_commit = off")
	l.queueRecord(last, b)
	fence := last.Queue(fenceQuery("FOR SHARE"), l.JobID, l.Run, l.fence)
	held := false
	fence.Exec(func(tag pgconn.CommandTag) error {
		held = tag.RowsAffected() == 1
		return nil
	})
	if err := tx.SendBatch(ctx, last).Close(); err != nil {
		return fmt.Errorf("recording a batch of job %s: %w", l.JobID, failure(err))
	}
	if !held {
		return l.fenceLost()
	}
	if err := l.commit(ctx, tx); err != nil {
		return err
	}
	l.committed.Add(1)
	l.cameFurther(int64(l.Attempt))
	return nil
}

// queueRecord adds the batch's row in the ledger.
func (l *Load) queueRecord(to *pgx.Batch, b *Batch) {
	to.Queue(`
		INSERT INTO sluice.batches
		       (job_id, batch, fence, attempt, start_offset, end_offset, first_line, next_line, rows, rejected, warnings,
		        resume_offset, resume_digest, digest_offset, digest, types)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		l.JobID, b.number, l.fence, l.Attempt, b.Start, b.End, b.FirstLine, known(b.nextLine), b.Rows, len(b.rejects), encoded(b.warnings),
		known(b.before.Offset), b.before.Digest, known(b.behind.Offset), b.behind.Digest, encoded(b.types))
}

// nearLine tells where in the file a batch began that the database refused: it does not say which row it was.
func nearLine(err error, line int64) error {
	var f *events.Failure
	if errors.As(err, &f) && !f.Retryable {
		f.Message += fmt.Sprintf(" (in the rows from line %d on)", line)
	}
	return err
}

// Fail records that the run ends without a dataset, and why, and returns that outcome. The rejects that were committed stay
// until the job is opened again.
func (l *Load) Fail(ctx context.Context, f events.Failure, figures events.Figures, at time.Time) (*Outcome, error) {
	return l.settle(ctx, Outcome{State: events.StateFailed, Run: l.Run, Attempt: l.Attempt, Failure: f, Figures: figures, At: at})
}

// Cancel records that the run ends without a dataset because someone asked for it, like [Load.Fail].
func (l *Load) Cancel(ctx context.Context, figures events.Figures, at time.Time) (*Outcome, error) {
	return l.settle(ctx, Outcome{State: events.StateCancelled, Run: l.Run, Attempt: l.Attempt, Figures: figures, At: at})
}

func (l *Load) settle(ctx context.Context, o Outcome) (*Outcome, error) {
	o.At = ledgerTime(o.At)
	state := stateCancelled
	var failed []byte
	if o.State == events.StateFailed {
		state = stateFailed
		data, err := json.Marshal(o.Failure)
		if err != nil {
			return nil, fmt.Errorf("encoding for the ledger: %w", err)
		}
		failed = data
	}
	figures, err := json.Marshal(o.Figures)
	if err != nil {
		return nil, fmt.Errorf("encoding for the ledger: %w", err)
	}
	err = l.underFence(ctx, func(tx pgx.Tx) error {
		if err := l.dropStaging(ctx, tx); err != nil {
			return err
		}
		if state == stateCancelled {
			if err := l.forgetRejects(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE sluice.loads SET state = $2, failure = $3, figures = $4, ended_at = $5 WHERE job_id = $1",
			l.JobID, state, failed, figures, o.At)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &o, nil
}
