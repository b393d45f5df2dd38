package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// showPatience is how long one table is waited for. Each stands in the way of none but itself.
const showPatience = "500ms"

// ShowDatasets lets the API read each dataset that it cannot read yet, and that this role may let it read. It returns the names of
// those for which that did not succeed, as others are changing them: a later call will do.
func (db *Database) ShowDatasets(ctx context.Context) (hidden []string, err error) {
	rows, err := db.pool.Query(ctx, hiddenQuery)
	if err != nil {
		return nil, fmt.Errorf("looking for datasets that the API cannot read: %w", failure(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Schema, Table string }])
	if err != nil {
		return nil, fmt.Errorf("looking for datasets that the API cannot read: %w", failure(err))
	}
	for _, d := range list {
		shown, err := db.show(ctx, d.Schema, d.Table)
		if err != nil {
			return nil, fmt.Errorf("letting the API read %s.%s: %w", d.Schema, d.Table, failure(err))
		}
		if !shown {
			hidden = append(hidden, d.Schema+"."+d.Table)
		}
	}
	return hidden, nil
}

// show reports whether the API can read a table now, or need not, because it is gone.
func (db *Database) show(ctx context.Context, schema, table string) (shown bool, err error) {
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer rollback(ctx, tx)
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+showPatience+"'"); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, "SELECT sluice.show($1, $2)", schema, table); err != nil {
		return false, err
	}
	if err := tx.Commit(ctx); err != nil {
		return false, err
	}
	err = db.pool.QueryRow(ctx, "SELECT NOT EXISTS ("+hiddenQuery+" AND d.schema_name = $1 AND d.table_name = $2)", schema, table).Scan(&shown)
	return shown, err
}

const hiddenQuery = `
	SELECT d.schema_name, d.table_name
	FROM sluice.standing_datasets d
	JOIN pg_catalog.pg_class c ON c.oid = d.oid
	JOIN pg_catalog.pg_roles r ON r.rolname = '` + ReaderRole + `'
	WHERE NOT (has_table_privilege(r.oid, c.oid, 'SELECT') AND has_schema_privilege(r.oid, c.relnamespace, 'USAGE'))
	  AND has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
	  AND (has_schema_privilege(r.oid, c.relnamespace, 'USAGE') OR has_schema_privilege(c.relnamespace, 'USAGE WITH GRANT OPTION'))`
