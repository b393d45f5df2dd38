package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// pageBytes is how much a page has at the most, but for a single entry.
const pageBytes = 8 << 20

// Dataset is a table that Sluice has loaded into.
type Dataset struct {
	Schema   string
	Table    string
	JobID    string // of the job that has loaded into it last
	Source   string // of that job, as users may see it
	Mode     string // likewise
	LoadedAt time.Time
	Made     bool  // whether Sluice has made the table
	Rows     int64 // by Postgres's estimate, or the job's count where there is none
	Bytes    int64 // of table and indexes on the disk
	Columns  []Column
}

// Column is one of a dataset's.
type Column struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // as Postgres writes it
	Nullable bool   `json:"nullable"`
}

// ListQuery asks for a page of datasets.
type ListQuery struct {
	Schema string // empty: any
	Limit  int    // at the most; at least 1
	Cursor string // [List.Next] of the page before, or empty
}

// List is a page of datasets, by schema and table.
type List struct {
	Datasets []Dataset
	Next     string // cursor of the next page; empty on the last one
}

// nameCursor is the place of a dataset in a list.
type nameCursor struct {
	Schema string `json:"s"`
	Table  string `json:"t"`
}

// List returns a page of datasets.
func (r *Reader) List(ctx context.Context, q ListQuery) (List, error) {
	var after nameCursor
	if q.Cursor != "" {
		if err := decodeCursor(q.Cursor, &after); err != nil {
			return List{}, err
		}
		if after.Schema == "" || after.Table == "" || !storable(after.Schema, after.Table) {
			return List{}, badParameter("cursor", notACursor)
		}
	}
	list := List{Datasets: []Dataset{}}
	if !storable(q.Schema) {
		return list, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := r.read(ctx, "", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, datasetQuery+` WHERE ($1::text = '' OR d.schema_name = $1)
			AND (d.schema_name, d.table_name) > ($2::text, $3::text) ORDER BY d.schema_name, d.table_name LIMIT $4`,
			q.Schema, after.Schema, after.Table, q.Limit+1)
		if err != nil {
			return ledgerFailure(ctx, err)
		}
		defer rows.Close()
		for size := 0; rows.Next(); {
			d, n, err := scanDataset(rows)
			if err != nil {
				return err
			}
			size += n
			if full := size > pageBytes && len(list.Datasets) > 0; full || len(list.Datasets) == q.Limit {
				last := list.Datasets[len(list.Datasets)-1]
				list.Next = encodeCursor(nameCursor{last.Schema, last.Table})
				if full {
					cancel() // what is left of the answer need not come
				}
				return nil
			}
			list.Datasets = append(list.Datasets, d)
		}
		return rowsFailure(ctx, rows, ledgerFailure)
	})
	if err != nil {
		return List{}, fmt.Errorf("listing datasets: %w", err)
	}
	return list, nil
}

// Get returns a dataset. It fails with [ErrNotFound].
func (r *Reader) Get(ctx context.Context, schema, table string) (Dataset, error) {
	var found []Dataset
	if !storable(schema, table) {
		return Dataset{}, ErrNotFound
	}
	err := r.read(ctx, "", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, datasetQuery+" WHERE d.schema_name = $1 AND d.table_name = $2", schema, table)
		if err != nil {
			return ledgerFailure(ctx, err)
		}
		defer rows.Close()
		for rows.Next() {
			d, _, err := scanDataset(rows)
			if err != nil {
				return err
			}
			found = append(found, d)
		}
		return rowsFailure(ctx, rows, ledgerFailure)
	})
	if err != nil {
		return Dataset{}, fmt.Errorf("looking for dataset %s.%s: %w", schema, table, err)
	}
	if len(found) == 0 {
		return Dataset{}, ErrNotFound
	}
	return found[0], nil
}

// datasetQuery estimates the size of a table that is locked, or about to be, for which it would have to wait.
const datasetQuery = `
WITH locked AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
SELECT d.schema_name, d.table_name, d.job_id::text, d.source, d.mode, d.loaded_at, d.made,
  CASE WHEN heap = 0 THEN 0 WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE coalesce(d.rows, 0) END, coalesce(total, 0)::bigint, (
    SELECT coalesce(json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'nullable', NOT attnotnull)
      ORDER BY attnum), '[]') FROM pg_attribute WHERE attrelid = d.oid AND attnum > 0 AND NOT attisdropped)::text
FROM sluice.standing_datasets d JOIN pg_class c ON c.oid = d.oid CROSS JOIN LATERAL (
  SELECT CASE WHEN free THEN pg_relation_size(d.oid) ELSE c.relpages * block END AS heap,
    CASE WHEN free THEN pg_total_relation_size(d.oid) ELSE c.relpages * block END AS total
  FROM (SELECT current_setting('block_size')::bigint AS block, NOT EXISTS (
    SELECT FROM locked WHERE relation = d.oid OR relation IN (SELECT indexrelid FROM pg_index WHERE indrelid = d.oid)) AS free) AS s
) AS size`

// scanDataset returns a dataset and about how many bytes it takes.
func scanDataset(rows pgx.Rows) (d Dataset, size int, err error) {
	var columns string
	err = rows.Scan(&d.Schema, &d.Table, &d.JobID, &d.Source, &d.Mode, &d.LoadedAt, &d.Made, &d.Rows, &d.Bytes, &columns)
	if err != nil {
		return d, 0, fmt.Errorf("reading a dataset: %w", err)
	}
	if err := json.Unmarshal([]byte(columns), &d.Columns); err != nil {
		return d, 0, fmt.Errorf("decoding columns: %w", err)
	}
	d.LoadedAt = d.LoadedAt.UTC()
	return d, len(columns) + len(d.Source), nil
}

// rowsFailure is the error in which rows ended, if they did.
func rowsFailure(ctx context.Context, rows pgx.Rows, judge func(context.Context, error) error) error {
	rows.Close()
	if err := rows.Err(); err != nil {
		return judge(ctx, err)
	}
	return nil
}
