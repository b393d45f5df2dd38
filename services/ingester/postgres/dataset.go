package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// recordDataset keeps, in the transaction that publishes, which table was loaded and whether Sluice has made it, and lets the
// API read it.
func (l *Load) recordDataset(ctx context.Context, tx pgx.Tx, p Publication) error {
	mode := l.Spec.Mode
	if mode == "" {
		mode = events.Create
	}
	var rows *int64
	if p.madeTable {
		rows = &p.Result.Rows
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO sluice.datasets AS d
		SELECT $1::text, $2::text, c.oid, 'sluice.datasets'::regclass, $3, $4, $5, $6::oid = 0 OR EXISTS (
		         SELECT FROM sluice.datasets WHERE schema_name = $1 AND table_name = $2 AND made
		         AND (table_oid = $6 OR ledger_oid <> tableoid)) OR EXISTS ( -- by an ingester of before datasets were kept
		         SELECT FROM sluice.loads WHERE schema_name = $1 AND table_name = $2 AND table_oid = $6 AND state = 'committed'
		         AND made_table AND unchanged_since IS NULL AND coalesce(spec->>'mode', '') <> 'replace'), $7::bigint, $8::timestamptz
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = $2::name AND nspname = $1::name
		ON CONFLICT (schema_name, table_name) DO UPDATE SET table_oid = excluded.table_oid, ledger_oid = excluded.ledger_oid,
		  job_id = excluded.job_id, source = excluded.source, mode = excluded.mode, made = excluded.made, rows = excluded.rows,
		  loaded_at = excluded.loaded_at`,
		l.Spec.Schema, p.Table, l.JobID, l.Spec.Source.URL, mode, p.into, rows, ledgerTime(p.At))
	if err != nil {
		return fmt.Errorf("recording the dataset of job %s: %w", l.JobID, failure(err))
	}
	if _, err := tx.Exec(ctx, "SELECT sluice.show($1, $2)", l.Spec.Schema, p.Table); err != nil {
		return fmt.Errorf("letting the API read the dataset of job %s: %w", l.JobID, failure(err))
	}
	return nil
}

// adoptDatasets finds the tables of a database that was restored from a dump by their names, for the last time: from then on
// they are known by their new OIDs.
func (db *Database) adoptDatasets(ctx context.Context) error {
	_, err := db.pool.Exec(ctx, `
		UPDATE sluice.datasets d SET table_oid = s.oid, ledger_oid = d.tableoid FROM sluice.standing_datasets s
		WHERE s.schema_name = d.schema_name AND s.table_name = d.table_name AND d.ledger_oid <> d.tableoid`)
	if err != nil {
		return fmt.Errorf("finding the datasets that were restored: %w", failure(err))
	}
	return nil
}

// ForgetDatasets deletes what is known of datasets whose table is gone and that were loaded last longer ago than age.
func (db *Database) ForgetDatasets(ctx context.Context, age time.Duration) error {
	_, err := db.pool.Exec(ctx, `
		DELETE FROM sluice.datasets d WHERE loaded_at < now() - make_interval(secs => $1) AND NOT EXISTS (
		  SELECT FROM sluice.standing_datasets s WHERE s.schema_name = d.schema_name AND s.table_name = d.table_name)
		AND ledger_oid = tableoid -- or else the table may still be restored`, age.Seconds())
	if err != nil {
		return fmt.Errorf("deleting the datasets whose table is gone: %w", failure(err))
	}
	return nil
}
