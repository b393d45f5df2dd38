package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// addWarnings adds to the result what was committed with the batches, and before them.
func (l *Load) addWarnings(ctx context.Context, tx pgx.Tx, p *Publication) error {
	rows, err := tx.Query(ctx, `
		SELECT warnings FROM sluice.loads WHERE job_id = $1 AND warnings IS NOT NULL UNION ALL
		SELECT warnings FROM sluice.batches WHERE job_id = $1 AND warnings IS NOT NULL`, l.JobID)
	if err != nil {
		return fmt.Errorf("reading the warnings of job %s: %w", l.JobID, failure(err))
	}
	lists, err := pgx.CollectRows(rows, pgx.RowTo[[]events.Warning])
	if err != nil {
		return fmt.Errorf("reading the warnings of job %s: %w", l.JobID, failure(err))
	}
	p.Result.Warnings = append([]events.Warning{}, events.MergeWarnings(append(lists, p.Result.Warnings)...)...)
	return nil
}
