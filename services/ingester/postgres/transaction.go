package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
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

// begin starts a transaction by whose name a later worker finds it and ends it once the fence is raised. Whoever begins
// after that sees the raised fence, and locks nothing that nobody would ever make it release.
func (l *Load) begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := l.db.pool.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting a transaction: %w", failure(err))
	}
	if _, err := tx.Exec(ctx, "SET LOCAL application_name = 'sluice/"+l.JobID+"/"+strconv.FormatInt(l.fence, 10)+"'"); err != nil {
		rollback(ctx, tx)
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
	tag, err := tx.Exec(ctx, `
		SELECT FROM sluice.loads WHERE job_id = $1 AND run = $2 AND fence = $3 AND state = 'loading' `+lock,
		l.JobID, l.Run, l.fence)
	if err != nil {
		return fmt.Errorf("checking the fence of job %s: %w", l.JobID, failure(err))
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("checking the fence of job %s: %w", l.JobID, ErrFenceLost)
	}
	return nil
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
