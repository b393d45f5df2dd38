package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The columns that tell where a row comes from. Only the datasets of jobs that ask for it have them.
const (
	lineColumn     = "_line"      // of the file, where the row starts, from 1
	jobColumn      = "_job"       // that has loaded it
	loadedAtColumn = "_loaded_at" // when that began to publish, the same for all of its rows
)

// LineageColumns are the names of the columns that tell where a row comes from.
func LineageColumns() []string { return []string{lineColumn, jobColumn, loadedAtColumn} }

// addLineage gives all staged rows their job and the time. Postgres keeps such values once for all rows that are there, so that
// neither copying them nor this takes any longer, however many they are.
func (l *Load) addLineage(ctx context.Context, tx pgx.Tx, at time.Time) error {
	if !l.Spec.Lineage {
		return nil
	}
	batch := new(pgx.Batch)
	batch.Queue(fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s uuid DEFAULT %s, ADD COLUMN %s timestamptz DEFAULT %s", l.staging(),
		jobColumn, literal(l.JobID), loadedAtColumn, literal(ledgerTime(at).Format(time.RFC3339Nano))))
	batch.Queue(fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s DROP DEFAULT", l.staging(), // of later rows
		jobColumn, loadedAtColumn))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("adding the lineage of job %s: %w", l.JobID, stagingFailure(err))
	}
	return nil
}

// ownType is the type of a column that is not the file's, as Postgres writes it, or "" if the column is the file's.
func (l *Load) ownType(column string) string {
	switch {
	case column == extraColumn && l.extra:
		return "text[]"
	case !l.Spec.Lineage:
		return ""
	case column == lineColumn:
		return "bigint"
	case column == jobColumn:
		return "uuid"
	case column == loadedAtColumn:
		return "timestamp with time zone"
	}
	return ""
}
