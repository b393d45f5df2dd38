package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/services/ingester/postgres/types"
)

// observe looks at the values of a block that is about to be added to a batch, if the job's types are inferred.
func (l *Load) observe(b *Batch, block Block) error {
	if !l.Spec.Types.Infer || block.Count == 0 {
		return nil
	}
	if b.types == nil {
		b.types = make(types.Columns, len(l.columns))
		for i, c := range l.columns {
			if l.isStated(c.Name) {
				b.types[i] = types.Text
			}
		}
	}
	if err := b.types.Observe(block.Data, block.Delimiter, block.Null); err != nil {
		return fmt.Errorf("looking at the values of job %s: %w", l.JobID, err)
	}
	return nil
}

// inferTypes gives the columns of the staging table the types that all of their values fit, in one pass over the rows, if the
// job wants that.
func (l *Load) inferTypes(ctx context.Context, tx pgx.Tx, p *Publication) error {
	if !l.Spec.Types.Infer {
		return nil
	}
	found, err := l.readTypes(ctx, tx)
	if err != nil {
		return err
	}
	var changes []string
	for i, column := range found {
		name, form := column.Type()
		if name == l.columns[i].Type || l.isStated(l.columns[i].Name) || l.mergesKeys(l.columns[i].Name, name) {
			continue
		}
		quoted := pgx.Identifier{l.columns[i].Name}.Sanitize()
		changes = append(changes, "ALTER COLUMN "+quoted+" TYPE "+name+" USING "+quoted+"::"+name)
		if i < len(p.Result.Columns) { // a result may tell of fewer
			p.Result.Columns[i].Form = form
		}
	}
	if len(changes) == 0 {
		return nil
	}
	batch := new(pgx.Batch) // with the settings that what fits was found for
	batch.Queue("SET LOCAL DateStyle = 'ISO, YMD'")
	batch.Queue("SET LOCAL TimeZone = 'UTC'")
	batch.Queue("ALTER TABLE " + l.staging() + " " + strings.Join(changes, ", "))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("giving the columns of job %s their types: %w", l.JobID, stagingFailure(err))
	}
	_, made, err := l.describe(ctx, tx, l.stagingName())
	if err != nil {
		return fmt.Errorf("reading the types of job %s: %w", l.JobID, failure(err))
	}
	p.Result.Columns = asPublished(p.Result.Columns, made)
	return nil
}

// mergesKeys reports whether a type would make one key of two texts that are in the file: 1.5 and 1.50 are one number.
func (l *Load) mergesKeys(column, typeName string) bool {
	return slices.Contains(l.Spec.Key, column) && (typeName == "numeric" || typeName == "double precision")
}

// readTypes joins what the values of all batches have been. Those of an older Sluice are not known: then all columns are text.
func (l *Load) readTypes(ctx context.Context, tx pgx.Tx) (types.Columns, error) {
	rows, err := tx.Query(ctx, "SELECT types FROM sluice.batches WHERE job_id = $1 AND rows > 0", l.JobID)
	if err != nil {
		return nil, fmt.Errorf("reading the types of job %s: %w", l.JobID, failure(err))
	}
	lists, err := pgx.CollectRows(rows, pgx.RowTo[*types.Columns])
	if err != nil {
		return nil, fmt.Errorf("reading the types of job %s: %w", l.JobID, failure(err))
	}
	all := make(types.Columns, len(l.columns))
	for _, list := range lists {
		if list == nil {
			return nil, nil
		}
		if err := all.Join(*list); err != nil {
			return nil, fmt.Errorf("joining the types of job %s: %w", l.JobID, err)
		}
	}
	return all, nil
}
