package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackTime is how long a server may take to roll back before its connection is given up.
const rollbackTime = 5 * time.Second

// underFence runs a transaction that holds the ledger row from its start and commits only what the fence allows.
func (l *Load) underFence(ctx context.Context, do func(tx pgx.Tx) error) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(ctx, tx)
	if err := l.checkFence(ctx, tx, "FOR UPDATE"); err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return fmt.Errorf("job %s: %w", l.JobID, failure(err))
	}
	return l.commit(ctx, tx)
}

// acquire waits for a connection that works.
func (l *Load) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := l.db.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting a connection: %w", failure(err))
	}
	return conn, nil
}

// begin starts a transaction on a connection of its own, which goes back when the transaction ends.
func (l *Load) begin(ctx context.Context) (pgx.Tx, error) { return l.beginOn(ctx, l.db.pool) }

// beginner is a connection, or a pool of them.
type beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// beginOn starts a transaction by whose name a later worker finds it and ends it once the fence is raised. Whoever begins
// after that sees the raised fence, and locks nothing that nobody would ever make it release.
func (l *Load) beginOn(ctx context.Context, on beginner) (pgx.Tx, error) {
	name := "sluice/" + l.JobID + "/" + strconv.FormatInt(l.fence, 10)
	tx, err := on.BeginTx(ctx, pgx.TxOptions{BeginQuery: "begin; SET LOCAL application_name = " + literal(name)})
	if err != nil {
		return nil, fmt.Errorf("starting a transaction: %w", failure(err))
	}
	if err := l.checkFence(ctx, tx, ""); err != nil {
		rollback(ctx, tx)
		return nil, err
	}
	return tx, nil
}

// checkFence locks the ledger row and fails with [ErrFenceLost] unless the load may still commit. FOR SHARE lets a job's
// connections commit side by side and holds off whoever wants to raise the fence; KEY SHARE would not. Without a lock the
// answer may be out of date at once.
func (l *Load) checkFence(ctx context.Context, tx pgx.Tx, lock string) error {
	tag, err := tx.Exec(ctx, fenceQuery(lock), l.JobID, l.Run, l.fence)
	if err != nil {
		return fmt.Errorf("checking the fence of job %s: %w", l.JobID, failure(err))
	}
	if tag.RowsAffected() != 1 {
		return l.fenceLost()
	}
	return nil
}

// fenceQuery finds the ledger row if the load with the job, run and fence of the arguments may still commit.
func fenceQuery(lock string) string {
	return "SELECT FROM sluice.loads WHERE job_id = $1 AND run = $2 AND fence = $3 AND state = 'loading' " + lock
}

func (l *Load) fenceLost() error {
	return fmt.Errorf("checking the fence of job %s: %w", l.JobID, ErrFenceLost)
}

func (l *Load) commit(ctx context.Context, tx pgx.Tx) error {
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("committing for job %s: %w", l.JobID, commitFailure(err))
	}
	return nil
}

// rollback ends a transaction that was not committed; after a commit it does nothing. A connection on which it fails is
// closed by the driver, which ends the transaction as well.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer cancel()
	_ = tx.Rollback(ctx)
}
