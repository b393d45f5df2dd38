package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// Publication is what [Copier.Publish] makes of the staged rows.
type Publication struct {
	Table   string         // the dataset's name
	Derived bool           // whether Table was derived and may get a suffix if it is taken
	Result  events.Result  // to be kept in the ledger; Publish fills in table, schema, rows and rejected, and adds warnings
	Figures events.Figures // likewise; Publish fills in rows and rejected
	At      time.Time

	// SourceKey stands for the source, how it is read and where to: of two runs with the same one, the later need not load what
	// the earlier has. "": it is not known.
	SourceKey string
	Source    json.RawMessage // by what the source is recognised as the same; nil: as was said in loading

	madeTable bool   // whether the rows are the only ones of the table
	into      uint32 // the OID of the table that they went into or that theirs replaced; 0 if there was none
}

// publish commits the last batch, if it has rows or rejects, in the transaction in which it was copied, and makes the
// staging table the dataset, or brings its rows into the one that there is. All of it is on the server's disk before publish
// returns. It fails with an [events.Failure]: of code table_busy if another try will do, table_exists if a name that was asked
// for is taken, and others where the table cannot take the rows.
func (l *Load) publish(ctx context.Context, tx pgx.Tx, last *Batch, p Publication) (*Outcome, error) {
	var outcome *Outcome
	err := orBusy(ctx, l.db, tx, l.Spec.Schema, p.Table, func() (err error) {
		outcome, err = l.publishInTurn(ctx, tx, last, p)
		return err
	})
	return outcome, err
}

func (l *Load) publishInTurn(ctx context.Context, tx pgx.Tx, last *Batch, p Publication) (*Outcome, error) {
	batches := l.committed.Load()
	if last.Rows > 0 || len(last.rejects) > 0 || last.End > last.Start {
		record := new(pgx.Batch)
		l.queueRecord(record, last)
		if err := tx.SendBatch(ctx, record).Close(); err != nil {
			return nil, fmt.Errorf("recording the last batch of job %s: %w", l.JobID, failure(err))
		}
		batches++
	}
	if err := limitWaits(ctx, tx); err != nil {
		return nil, err
	}
	if err := takeTurn(ctx, tx, l.Spec.Schema, p.Table); err != nil {
		return nil, err
	}
	if l.Spec.SkipUnchanged {
		outcome, err := l.stand(ctx, tx, p, func(b Baseline) bool { return b.Result.Checksum == p.Result.Checksum })
		if outcome != nil || err != nil {
			return outcome, err
		}
	}
	if err := l.checkFence(ctx, tx, "FOR UPDATE"); err != nil {
		return nil, err
	}
	if err := l.complete(ctx, tx, batches, last.End, &p); err != nil {
		return nil, err
	}
	if err := l.place(ctx, tx, &p); err != nil {
		return nil, err
	}
	if err := l.recordDataset(ctx, tx, p); err != nil {
		return nil, err
	}
	return l.conclude(ctx, tx, p)
}

// conclude commits the end of the run.
func (l *Load) conclude(ctx context.Context, tx pgx.Tx, p Publication) (*Outcome, error) {
	if now := time.Now(); now.After(p.At) { // locks may have been waited for
		p.At = now
	}
	p.At = ledgerTime(p.At)
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

// place makes the staged rows visible as the job's mode says, and tells the result where they are.
func (l *Load) place(ctx context.Context, tx pgx.Tx, p *Publication) error {
	for i := range p.Result.Columns { // which may be fewer
		p.Result.Columns[i].Type = l.columns[i].Type
	}
	var into *target
	var err error
	if l.Spec.Mode == events.Create || l.Spec.Mode == "" {
		if err = l.makeColumns(ctx, tx, p); err == nil {
			err = l.rename(ctx, tx, p)
		}
	} else {
		into, err = l.placeIn(ctx, tx, p)
	}
	if err != nil {
		return err
	}
	p.Result.Schema, p.Result.Table = l.Spec.Schema, p.Table
	p.madeTable = into == nil || l.Spec.Mode == events.Replace
	if into != nil {
		p.into = into.oid
		p.Result.Columns = asPublished(p.Result.Columns, into)
	}
	return nil
}

// placeIn brings the staged rows into a table, which it returns if it was there before.
func (l *Load) placeIn(ctx context.Context, tx pgx.Tx, p *Publication) (*target, error) {
	name := p.Table
	found, err := l.findTarget(ctx, tx, name, l.stagedColumns())
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, l.placeFirst(ctx, tx, p)
	}
	if err := l.addLineage(ctx, tx, p.At); err != nil {
		return nil, err
	}
	if l.Spec.Mode == events.Replace {
		return found, l.replace(ctx, tx, found, name)
	}
	return l.insert(ctx, tx, found, name)
}

// placeFirst makes the staged rows a table that was not there before.
func (l *Load) placeFirst(ctx context.Context, tx pgx.Tx, p *Publication) error {
	if err := l.makeColumns(ctx, tx, p); err != nil {
		return err
	}
	if l.Spec.Mode == events.Upsert {
		return l.renameKeyed(ctx, tx, p.Table)
	}
	return l.renameFirst(ctx, tx, p.Table)
}

// makeColumns makes the staging table's columns those that a new dataset is to have.
func (l *Load) makeColumns(ctx context.Context, tx pgx.Tx, p *Publication) error {
	if err := l.inferTypes(ctx, tx, p); err != nil {
		return err
	}
	return l.addLineage(ctx, tx, p.At)
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
		UPDATE sluice.loads SET state = 'committed', table_name = $2, result = $3, figures = $4, ended_at = $5,
		       source_key = $6, source = coalesce($7, source), made_table = $8, unchanged_since = $9,
		       committed_at = clock_timestamp(), ledger_oid = tableoid, table_oid = (
		         SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = $2::text AND nspname = schema_name)
		WHERE job_id = $1`,
		l.JobID, p.Table, result, figures, p.At, known(p.SourceKey), known(string(p.Source)), p.madeTable, known(p.Result.UnchangedSince))
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
