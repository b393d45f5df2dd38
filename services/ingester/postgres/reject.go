package postgres

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"sluice/pkg/events"
)

// Reject is a row of the file that does not become one of the dataset, and why.
type Reject struct {
	Line, Offset int64       // where the row starts: the line from 1, the byte offset from 0; no two rejects have the same offset
	Column       int         // the field at fault, from 1; 0 if that is the whole row
	ColumnName   string      // its name; "" if it has none
	Code         events.Code // the kind of fault
	Reason       string      // a sentence for the user
	Raw          string      // the row, or its first part: valid UTF-8 without NUL
}

// size is about how much memory the reject takes, in bytes.
func (r Reject) size() int {
	return int(unsafe.Sizeof(r)) + len(r.ColumnName) + len(r.Code) + len(r.Reason) + len(r.Raw)
}

var rejectColumns = []string{"job_id", "batch", "line", "byte_offset", "column_number", "column_name", "code", "reason", "raw"}

// copyRejects sends the rejects of a batch, once all of them are known.
func (l *Load) copyRejects(ctx context.Context, tx pgx.Tx, b *Batch) error {
	if len(b.rejects) == 0 {
		return nil
	}
	var job pgtype.UUID
	if err := job.Scan(l.JobID); err != nil {
		return fmt.Errorf("encoding for the ledger: %w", err)
	}
	rows := pgx.CopyFromSlice(len(b.rejects), func(i int) ([]any, error) {
		r := b.rejects[i]
		return []any{job, b.number, r.Line, r.Offset, known(r.Column), known(r.ColumnName), string(r.Code), r.Reason, r.Raw}, nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"sluice", "rejects"}, rejectColumns, rows); err != nil {
		return fmt.Errorf("recording rejected rows of job %s: %w", l.JobID, nearLine(failure(err), b.FirstLine))
	}
	return nil
}

// known returns NULL for what is not known.
func known[T comparable](value T) any {
	var unknown T
	if value == unknown {
		return nil
	}
	return value
}

// encoded returns NULL for an empty list.
func encoded[L ~[]E, E any](list L) any {
	if len(list) == 0 {
		return nil
	}
	return list // as JSON, by its column
}

// forgetRejects deletes the rejects of the job.
func (l *Load) forgetRejects(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "DELETE FROM sluice.rejects WHERE job_id = $1", l.JobID)
	return err
}
