package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Commit sends one batch, once it is closed, and makes it durable.
func (l *Load) Commit(ctx context.Context, b *Batch) error {
	return l.sendAlone(ctx, b, func(tx pgx.Tx) error { return l.commitBatch(ctx, tx, b) })
}

// Publish sends the last batch, once it is closed, and makes the staging table the dataset.
func (l *Load) Publish(ctx context.Context, last *Batch, p Publication) (*Outcome, error) {
	var outcome *Outcome
	err := l.sendAlone(ctx, last, func(tx pgx.Tx) (err error) {
		outcome, err = l.publish(ctx, tx, last, p)
		return err
	})
	return outcome, err
}

func (l *Load) sendAlone(ctx context.Context, b *Batch, finish func(tx pgx.Tx) error) error {
	conn, err := l.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return l.send(ctx, conn, b, finish)
}

// ScramVerifier is what Postgres keeps of a password.
var ScramVerifier = scramVerifier
