package dataset

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// table is one whose rows are read. It stays as it is until the transaction ends.
type table struct {
	oid, file uint32 // file changes whenever the table is rewritten
	name      string // quoted, with its schema
	columns   []column
	key       *key // nil if nothing tells its rows apart
}

type column struct {
	name   string
	cast   string // its type, quoted, without what would cut values
	number bool
	schema string // quoted, where its comparisons are: those of a type from an extension lie beside it
}

// key is an index that tells rows apart, in whose order they can be read.
type key struct {
	index   uint32
	columns []string
}

// openTable locks a dataset's table, so that it cannot be replaced meanwhile, and describes it. The transaction's snapshot is
// taken only then, or else it might be older than the table.
func openTable(ctx context.Context, tx pgx.Tx, schema, name string) (*table, error) {
	if !storable(schema, name) || schema == "" || name == "" {
		return nil, ErrNotFound
	}
	t := &table{name: pgx.Identifier{schema, name}.Sanitize()}
	_, err := tx.Exec(ctx, "LOCK TABLE ONLY "+t.name+" IN ACCESS SHARE MODE")
	switch {
	case hasState(err, stateUndefinedTable, stateUndefinedSchema, stateWrongKind):
		return nil, ErrNotFound
	case err != nil:
		return nil, failure(ctx, err)
	}
	batch := new(pgx.Batch)
	batch.Queue(tableQuery, schema, name).QueryRow(func(row pgx.Row) error { return row.Scan(&t.oid, &t.file) })
	batch.Queue(columnsQuery, schema, name).Query(func(rows pgx.Rows) (err error) {
		t.columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
			return c, row.Scan(&c.name, &c.cast, &c.number, &c.schema)
		})
		return err
	})
	batch.Queue(keyQuery, schema, name).Query(func(rows pgx.Rows) error {
		keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k key, err error) {
			return k, row.Scan(&k.index, &k.columns)
		})
		if len(keys) > 0 {
			t.key = &keys[0]
		}
		return err
	})
	err = tx.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, ledgerFailure(ctx, err)
	}
	return t, nil
}

const tableQuery = `
SELECT d.oid, c.relfilenode FROM sluice.standing_datasets d JOIN pg_class c ON c.oid = d.oid WHERE schema_name = $1 AND table_name = $2`

// columnsQuery takes the type below a domain, and each without its modifier: a cast to varchar(3) would cut a longer text.
const columnsQuery = `
SELECT attname::text, format_type(coalesce(nullif(typbasetype, 0), atttypid), -1), typcategory = 'N',
  quote_ident(coalesce((SELECT nspname FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace WHERE oprname = '='
    AND oprleft = coalesce(nullif(typbasetype, 0), atttypid) AND oprright = oprleft ORDER BY o.oid LIMIT 1), 'pg_catalog'))
FROM sluice.standing_datasets d JOIN pg_attribute ON attrelid = d.oid JOIN pg_type t ON t.oid = atttypid
WHERE schema_name = $1 AND table_name = $2 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`

// keyQuery finds the primary key, or else a unique index that has every row once and is ordered as comparisons are.
const keyQuery = `
SELECT i.indexrelid, (SELECT array_agg(attname::text ORDER BY n) FROM generate_series(0, indnkeyatts - 1) AS n
  JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[n])
FROM sluice.standing_datasets d JOIN pg_index i ON indrelid = d.oid
JOIN pg_class x ON x.oid = indexrelid JOIN pg_am a ON a.oid = x.relam
WHERE schema_name = $1 AND table_name = $2 AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS NULL
  AND amname = 'btree' AND NOT EXISTS (
    SELECT FROM generate_series(0, indnkeyatts - 1) AS n JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[n]
    JOIN pg_opclass o ON o.oid = indclass[n]
    WHERE NOT attnotnull OR indoption[n] <> 0 OR indcollation[n] <> attcollation OR NOT opcdefault
    OR o.opcnamespace <> 'pg_catalog'::regnamespace) -- comparisons are those of pg_catalog, too
ORDER BY indisprimary DESC, i.indexrelid LIMIT 1`

// column returns the one of that name, or nil.
func (t *table) column(name string) *column {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	return nil
}

// alias is a name that no column has, so that it can stand for a row.
func (t *table) alias() string {
	alias := "r"
	for t.column(alias) != nil {
		alias += "_"
	}
	return alias
}

// quoted is a column's name as it stands in a statement on the table, which is called t there.
func quoted(name string) string { return "t." + pgx.Identifier{name}.Sanitize() }

// explain says of an error what was read. What the role may not read and Sluice has not loaded is not there.
func (r *Reader) explain(ctx context.Context, err error, schema, name string) error {
	if errors.Is(err, ErrNotReadable) {
		if _, known := r.Get(ctx, schema, name); known != nil {
			err = known
		}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading %s.%s: %w", schema, name, err)
}
