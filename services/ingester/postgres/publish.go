package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// maxDerivedNames bounds the search for a free derived name.
const maxDerivedNames = 100

// Publication is what [Copier.Publish] makes of the staged rows.
type Publication struct {
	Table   string         // the dataset's name
	Derived bool           // whether Table was derived and may get a suffix if it is taken
	Result  events.Result  // to be kept in the ledger; Publish fills in table, schema, rows and rejected, and adds warnings
	Figures events.Figures // likewise; Publish fills in rows and rejected
	At      time.Time
}

// publish commits the last batch, if it has rows or rejects, in the transaction in which it was copied, and makes the
// staging table the dataset. All of it is on the server's disk before publish returns. It fails with an [events.Failure] of
// code table_exists if a name that was asked for is taken.
func (l *Load) publish(ctx context.Context, tx pgx.Tx, last *Batch, p Publication) (*Outcome, error) {
	batches := l.committed.Load()
	if last.Rows > 0 || len(last.rejects) > 0 || last.End > last.Start {
		record := new(pgx.Batch)
		l.queueRecord(record, last)
		if err := tx.SendBatch(ctx, record).Close(); err != nil {
			return nil, fmt.Errorf("recording the last batch of job %s: %w", l.JobID, failure(err))
		}
		batches++
	}
	// Jobs that want the same name take turns, and a name is locked before a row by everyone.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
		"sluice:"+l.Spec.Schema+"."+p.Table); err != nil {
		return nil, fmt.Errorf("locking table %s: %w", p.Table, failure(err))
	}
	if err := l.checkFence(ctx, tx, "FOR UPDATE"); err != nil {
		return nil, err
	}
	p.At = ledgerTime(p.At)
	if err := l.complete(ctx, tx, batches, last.End, &p); err != nil {
		return nil, err
	}
	if err := l.rename(ctx, tx, &p); err != nil {
		return nil, err
	}
	if err := l.recordCommitted(ctx, tx, p); err != nil {
		return nil, err
	}
	if err := l.commit(ctx, tx); err != nil {
		return nil, err
	}
	return &Outcome{State: events.StateSucceeded, Run: l.Run, Attempt: l.Attempt, Result: p.Result, Figures: p.Figures, At: p.At}, nil
}

// complete checks that as many batches as were committed tile the source from its first row to end, and counts their
// rows and rejects. A server that crashed may have lost the latest ones.
func (l *Load) complete(ctx context.Context, tx pgx.Tx, batches, end int64, p *Publication) error {
	var found int64
	var tiled bool
	var upTo int64
	err := tx.QueryRow(ctx, `
		SELECT count(*), coalesce(bool_and(start_offset = previous_end), true), coalesce(max(end_offset), $2), coalesce(sum(rows), 0)::bigint,
		       coalesce(sum(rejected), 0)::bigint
		FROM (SELECT start_offset, end_offset, rows, rejected, lag(end_offset, 1, $2::bigint) OVER (ORDER BY start_offset, end_offset)
		      AS previous_end FROM sluice.batches WHERE job_id = $1) AS ranges`,
		l.JobID, l.firstRow).Scan(&found, &tiled, &upTo, &p.Result.Rows, &p.Result.Rejected)
	if err != nil {
		return fmt.Errorf("reading the batches of job %s: %w", l.JobID, failure(err))
	}
	if found < batches {
		return events.Failf(events.CodeDatabaseUnavailable, "the database lost %d batches in a crash", batches-found)
	}
	if !tiled || upTo != end {
		return events.Failf(events.CodeInternal, "the committed batches do not cover the source: they end at byte %d of %d", upTo, end)
	}
	p.Figures.Rows, p.Figures.Rejected = p.Result.Rows, p.Result.Rejected
	return l.addWarnings(ctx, tx, p)
}

// rename gives the staging table the dataset's name, or the next free one if the name may vary.
func (l *Load) rename(ctx context.Context, tx pgx.Tx, p *Publication) error {
	wanted := p.Table
	for n := 1; n <= maxDerivedNames; n++ {
		if n > 1 {
			p.Table = withSuffix(wanted, "_"+strconv.Itoa(n))
		}
		err := savepoint(ctx, tx, "ALTER TABLE "+l.staging()+" RENAME TO "+pgx.Identifier{p.Table}.Sanitize())
		if err == nil {
			p.Result.Schema, p.Result.Table = l.Spec.Schema, p.Table
			return nil
		}
		if !isNameTaken(err) {
			return fmt.Errorf("publishing %s: %w", p.Table, failure(err))
		}
		if !p.Derived {
			break
		}
	}
	return events.Failf(events.CodeTableExists, "table %s.%s exists already; name another one, or drop it", l.Spec.Schema, wanted)
}

func (l *Load) recordCommitted(ctx context.Context, tx pgx.Tx, p Publication) error {
	result, err := json.Marshal(p.Result)
	if err != nil {
		return fmt.Errorf("encoding for the ledger: %w", err)
	}
	figures, err := json.Marshal(p.Figures)
	if err != nil {
		return fmt.Errorf("encoding for the ledger: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE sluice.loads SET state = 'committed', table_name = $2, result = $3, figures = $4, ended_at = $5
		WHERE job_id = $1`, l.JobID, p.Table, result, figures, p.At)
	if err != nil {
		return fmt.Errorf("recording the end of job %s: %w", l.JobID, failure(err))
	}
	return nil
}

// Analyze gives the planner statistics of a new dataset. The dataset is complete without them.
func (db *Database) Analyze(ctx context.Context, schema, table string) error {
	if _, err := db.pool.Exec(ctx, "ANALYZE "+pgx.Identifier{schema, table}.Sanitize()); err != nil {
		return fmt.Errorf("analyzing %s.%s: %w", schema, table, failure(err))
	}
	return nil
}

// savepoint runs a statement whose failure the transaction survives.
func savepoint(ctx context.Context, tx pgx.Tx, sql string) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(ctx, inner)
	if _, err := inner.Exec(ctx, sql); err != nil {
		return err
	}
	return inner.Commit(ctx)
}
