package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// unrecorded is a table that the ledger has a later load of than is kept of it as a dataset.
type unrecorded struct {
	Schema, Table string
	JobID         string // of the last load
	Made          bool   // whether Sluice has made the table, as far as is proven
}

// RecordDatasets keeps what ingesters of before datasets were kept have published beside newer ones, as far as the ledger proves
// that the table is the one they loaded. It looks at the loads that ended since a time, zero being all. It reports false if a table
// was just being published or dropped, so that it is to be called again with the same time.
func (db *Database) RecordDatasets(ctx context.Context, since time.Time) (complete bool, err error) {
	rows, err := db.pool.Query(ctx, unrecordedQuery, since)
	if err != nil {
		return false, fmt.Errorf("looking for datasets that are not recorded: %w", failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[unrecorded])
	if err != nil {
		return false, fmt.Errorf("looking for datasets that are not recorded: %w", failure(err))
	}
	complete = true
	for _, u := range list {
		recorded, err := db.record(ctx, u)
		if err != nil {
			return false, fmt.Errorf("recording dataset %s.%s: %w", u.Schema, u.Table, failure(err))
		}
		complete = complete && recorded
	}
	return complete, nil
}

// record keeps one of them, unless its name is somebody's turn.
func (db *Database) record(ctx context.Context, u unrecorded) (bool, error) {
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer rollback(ctx, tx)
	var ours bool
	err = tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", turnName(u.Schema, u.Table)).Scan(&ours)
	if err != nil || !ours {
		return false, err
	}
	if _, err := tx.Exec(ctx, recordQuery, u.JobID, u.Made); err != nil {
		return false, err
	}
	return true, tx.Commit(ctx)
}

// proven joins a load with the table that it has loaded, which is not told by its name alone, and with what is kept of that.
const proven = `
	FROM sluice.loads l
	JOIN pg_catalog.pg_class c ON c.oid = l.table_oid AND c.relname = l.table_name::name AND c.relkind = 'r'
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = l.schema_name::name
	LEFT JOIN (sluice.datasets d LEFT JOIN sluice.loads k ON k.job_id = d.job_id)
	  ON d.schema_name = l.schema_name COLLATE "C" AND d.table_name = l.table_name COLLATE "C" AND d.table_oid = c.oid
	  AND d.ledger_oid = d.tableoid
	WHERE l.state = 'committed' AND l.unchanged_since IS NULL AND l.ledger_oid = l.tableoid
	  AND (d.job_id IS NULL OR d.job_id <> l.job_id AND coalesce(k.committed_at, d.loaded_at) < l.committed_at)`

// A replacement does not tell who had made what it replaced.
const unrecordedQuery = `
	SELECT DISTINCT ON (c.oid) l.schema_name, l.table_name, l.job_id::text,
	       coalesce(d.made, false) OR bool_or(l.made_table AND coalesce(l.spec->>'mode', '') <> 'replace') OVER (PARTITION BY c.oid)` +
	proven + ` AND l.ended_at >= $1 ORDER BY c.oid, l.committed_at DESC`

const recordQuery = `
	INSERT INTO sluice.datasets
	SELECT l.schema_name, l.table_name, c.oid, 'sluice.datasets'::regclass, l.job_id, coalesce(l.spec->'source'->>'url', ''),
	       coalesce(nullif(l.spec->>'mode', ''), 'create'), $2, CASE WHEN l.made_table THEN (l.result->>'rows')::bigint END, l.ended_at` +
	proven + ` AND l.job_id = $1
	ON CONFLICT (schema_name, table_name) DO UPDATE SET table_oid = excluded.table_oid, ledger_oid = excluded.ledger_oid,
	  job_id = excluded.job_id, source = excluded.source, mode = excluded.mode, made = excluded.made, rows = excluded.rows,
	  loaded_at = excluded.loaded_at`
