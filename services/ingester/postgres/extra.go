package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// extraColumn keeps the values of rows that have more of them than the file has columns. Only a dataset that needs it has it.
const extraColumn = "_extra"

// addExtra gives the staging table the column for surplus values, which is NULL in all rows before. It changes the catalog
// only, but waits for whatever uses the table.
func (l *Load) addExtra(ctx context.Context) error {
	err := l.underFence(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "ALTER TABLE "+l.staging()+" ADD COLUMN "+extraColumn+" text[]"); err != nil {
			return stagingFailure(err)
		}
		l.extra = true
		return l.checkTarget(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("adding column %s: %w", extraColumn, err)
	}
	return nil
}

// widen makes room for the surplus values of a block, once no batch uses the table.
func (c *Copier) widen(block Block) error {
	if err := c.Flush(); err != nil {
		return err
	}
	if err := c.load.addExtra(c.ctx); err != nil {
		c.stop(nearLine(err, block.FirstLine)) // unless something else has ended it, which the driver does not tell
	}
	return context.Cause(c.ctx)
}
