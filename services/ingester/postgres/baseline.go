package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// Baseline is the latest committed run of a source that was read in the same way and into the same place, while the rows that
// it left, or found, stand: their table is still the one that they were in.
type Baseline struct {
	JobID  string
	Table  string          // the rows'; of a derived name it is another one for each job
	Source json.RawMessage // by what the source is recognised as the same; nil for nothing
	Result events.Result

	madeTable bool // whether the rows were the only ones of the table
}

// since is the job that loaded the rows.
func (b Baseline) since() string {
	if b.Result.UnchangedSince != "" {
		return b.Result.UnchangedSince
	}
	return b.JobID
}

// publication is that of a run that leaves the rows as they stand.
func (b Baseline) publication(p Publication) Publication {
	durations := p.Result.Durations
	p.Result = b.Result
	p.Result.Outcome, p.Result.UnchangedSince = events.OutcomeUnchanged, b.since()
	p.Result.Rows, p.Result.Rejected, p.Result.ResumedFrom, p.Result.Durations = 0, 0, 0, durations
	p.Figures.Rows, p.Figures.Rejected = 0, 0
	p.Table, p.madeTable = b.Table, b.madeTable
	return p
}

// Unchanged ends the run without loading anything, if the source has a [Baseline] and same says that the source still is what
// that was made of. It returns nil if the file is to be loaded. Of p it needs what a publication would have, but for the rows,
// and fails like one where others use the table.
func (l *Load) Unchanged(ctx context.Context, p Publication, same func(Baseline) bool) (*Outcome, error) {
	tx, err := l.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer rollback(ctx, tx)
	if err := limitWaits(ctx, tx); err != nil {
		return nil, err
	}
	var outcome *Outcome
	err = orBusy(ctx, l.db, tx, l.Spec.Schema, p.Table, func() (err error) {
		outcome, err = l.stand(ctx, tx, p, same)
		return err
	})
	return outcome, err
}

// stand commits that the rows of the baseline stand, or returns nil if there is none or the source is not the same. The
// baseline is looked up once more when its table's name and the ledger's row are locked, as whoever publishes locks them.
func (l *Load) stand(ctx context.Context, tx pgx.Tx, p Publication, same func(Baseline) bool) (*Outcome, error) {
	seen, err := l.baseline(ctx, tx, p.SourceKey)
	if err != nil || seen == nil || !same(*seen) {
		return nil, err
	}
	if err := takeTurn(ctx, tx, l.Spec.Schema, seen.Table); err != nil {
		return nil, err
	}
	if err := l.checkFence(ctx, tx, "FOR UPDATE"); err != nil {
		return nil, err
	}
	held, err := l.baseline(ctx, tx, p.SourceKey)
	if err != nil || held == nil || held.Table != seen.Table || !same(*held) {
		return nil, err
	}
	if err := l.dropStaging(ctx, tx); err != nil {
		return nil, fmt.Errorf("dropping the staging table of job %s: %w", l.JobID, failure(err))
	}
	if err := l.forgetRejects(ctx, tx); err != nil {
		return nil, fmt.Errorf("forgetting the rejected rows of job %s: %w", l.JobID, failure(err))
	}
	return l.conclude(ctx, tx, held.publication(p))
}

// baseline returns the baseline of a source key, or nil. A replacement needs one whose rows were the only ones of the table:
// the others' would stay.
func (l *Load) baseline(ctx context.Context, tx pgx.Tx, sourceKey string) (*Baseline, error) {
	var b Baseline
	var stands bool
	var source, result []byte
	err := tx.QueryRow(ctx, baselineQuery, sourceKey).Scan(&b.JobID, &b.Table, &source, &result, &b.madeTable, &stands)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a baseline of job %s: %w", l.JobID, failure(err))
	}
	if !stands || l.Spec.Mode == events.Replace && !b.madeTable {
		return nil, nil
	}
	b.Source = source
	if err := json.Unmarshal(result, &b.Result); err != nil {
		return nil, fmt.Errorf("decoding the ledger of job %s: %w", b.JobID, err)
	}
	return &b, nil
}

// baselineQuery knows a table by its OID, which neither a new table nor a replacement has; and if the database was restored
// since, by its name, unless the ledger knows of a new table.
const baselineQuery = `
SELECT job_id::text, table_name, source, result, made_table, EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = b.table_name AND n.nspname = b.schema_name AND c.relkind = 'r' AND CASE b.ledger_oid
    WHEN b.tableoid THEN c.oid = b.table_oid
    ELSE NOT EXISTS (
      SELECT FROM sluice.loads later WHERE later.schema_name = b.schema_name AND later.table_name = b.table_name
      AND later.committed_at > b.committed_at AND later.made_table AND later.unchanged_since IS NULL) END)
FROM sluice.loads b WHERE source_key = $1 ORDER BY committed_at DESC LIMIT 1`
