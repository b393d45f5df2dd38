package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
)

// staging is the quoted name of the job's staging table. It lies in the schema of the dataset, so that the default
// privileges there apply to it.
func (l *Load) staging() string {
	return pgx.Identifier{l.Spec.Schema, l.stagingName()}.Sanitize()
}

func (l *Load) stagingName() string { return "sluice_staging_" + strings.ReplaceAll(l.JobID, "-", "") }

func (l *Load) createStaging() string {
	columns := make([]string, len(l.columns), len(l.columns)+1)
	for i, c := range l.columns {
		columns[i] = pgx.Identifier{c.Name}.Sanitize() + " " + c.Type
	}
	if l.Spec.Lineage {
		columns = append(columns, lineColumn+" bigint")
	}
	return "CREATE TABLE " + l.staging() + " (" + strings.Join(columns, ", ") + ")"
}

// copyRows is the statement that takes rows of the format.
func (l *Load) copyRows(f format) string {
	names := make([]string, len(l.columns), len(l.columns)+2)
	for i, c := range l.columns {
		names[i] = pgx.Identifier{c.Name}.Sanitize()
	}
	if f.extra {
		names = append(names, extraColumn)
	}
	if l.Spec.Lineage {
		names = append(names, lineColumn)
	}
	return "COPY " + l.staging() + " (" + strings.Join(names, ", ") + ") FROM STDIN " + f.options()
}

// dropStaging drops the staging table, if there is one, and forgets the batches in it.
func (l *Load) dropStaging(ctx context.Context, tx pgx.Tx) error {
	var exists bool // to be asked first, as DROP fails without rights to the schema even if there is nothing to drop
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2)",
		l.Spec.Schema, l.stagingName()).Scan(&exists)
	if err != nil {
		return err
	}
	if exists {
		if _, err := tx.Exec(ctx, "DROP TABLE "+l.staging()); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "DELETE FROM sluice.batches WHERE job_id = $1", l.JobID)
	return err
}

// stagingFailure judges an error of a statement on the staging table. Only another worker drops it, or a crash of the
// server before it had reached the disk, or the column that it was given; opening the job again helps in all cases.
func stagingFailure(err error) error {
	if hasState(err, stateUndefinedTable, stateUndefinedColumn) {
		return errors.Join(ErrFenceLost, err)
	}
	return failure(err)
}
