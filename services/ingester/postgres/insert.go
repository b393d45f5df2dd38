package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// insert adds the staged rows to the table that was found, or lets them replace those of the same key, and drops the staging
// table.
func (l *Load) insert(ctx context.Context, tx pgx.Tx, found *target, name string) (*target, error) {
	t, err := l.hold(ctx, tx, found, "ROW EXCLUSIVE", name)
	if err != nil {
		return nil, err
	}
	if err := l.checkKeyValues(ctx, tx); err != nil {
		return nil, err
	}
	if l.Spec.Ordered { // a scan is not to begin where another one is
		if _, err := tx.Exec(ctx, "SET LOCAL synchronize_seqscans = off"); err != nil {
			return nil, fmt.Errorf("publishing into %s: %w", t.name, failure(err))
		}
	}
	err = savepoint(ctx, tx, l.insertion(t))
	if hasState(err, stateCardinalityViolation) {
		return nil, l.keyTwice(ctx, tx, l.staging(), t)
	}
	if err == nil { // what the commit would check is to be refused as what it is
		_, err = tx.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE")
	}
	if err != nil {
		return nil, fmt.Errorf("publishing into %s: %w", t.name, valueFailure(err))
	}
	if _, err := tx.Exec(ctx, "DROP TABLE "+l.staging()); err != nil {
		return nil, fmt.Errorf("dropping the staging table of job %s: %w", l.JobID, failure(err))
	}
	return t, nil
}

// insertion is the statement that adds the staged rows.
func (l *Load) insertion(t *target) string {
	staged := l.stagedColumns()
	names, values, others := quoted(staged), make([]string, len(staged)), []string{}
	for i, name := range staged {
		values[i] = l.value(t.column(name))
		if !slices.Contains(l.Spec.Key, name) {
			others = append(others, names[i])
		}
	}
	sql := "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + l.staging()
	if l.Spec.Mode != events.Upsert {
		return sql
	}
	if len(others) == 0 { // so that a key that comes twice is met
		others = quoted(l.Spec.Key[:1])
	}
	for i, name := range others {
		others[i] = name + " = excluded." + name
	}
	return sql + " ON CONFLICT (" + strings.Join(quoted(l.Spec.Key), ", ") + ") DO UPDATE SET " + strings.Join(others, ", ")
}

// checkWritable fails early where the role has no right to add rows, or a rule would send them elsewhere.
func (l *Load) checkWritable(ctx context.Context, tx pgx.Tx, t *target) error {
	var may, rules bool
	err := tx.QueryRow(ctx, `
		SELECT has_any_column_privilege($1::oid, 'INSERT') AND (NOT $2 OR has_any_column_privilege($1::oid, 'UPDATE'))
		       AND has_table_privilege($1::oid, 'INSERT, UPDATE, DELETE, TRUNCATE'), -- or the table could not be locked
		       EXISTS (SELECT FROM pg_rewrite WHERE ev_class = $1 AND (ev_type = '3' OR $2 AND ev_type = '2'))`,
		t.oid, l.Spec.Mode == events.Upsert).Scan(&may, &rules)
	switch {
	case err != nil:
		return fmt.Errorf("reading the rights to %s: %w", t.name, failure(err))
	case !may:
		return events.Failf(events.CodeNotPermitted, "permission denied for table %s; grant the ingester's role INSERT on it, and for "+
			"mode upsert also SELECT and UPDATE", t.shown)
	case rules:
		return events.Failf(events.CodeNotATable, "table %s has a rule by which rows would go elsewhere; drop the rule, "+
			"or name another table", t.shown)
	}
	return nil
}
