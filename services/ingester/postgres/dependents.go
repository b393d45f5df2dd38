package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// checkReplaceable returns a check that fails if the role may not replace a table, or if something hangs on the table that a
// replacement with no other columns than these would lose.
func (l *Load) checkReplaceable(columns []string) func(context.Context, pgx.Tx, *target) error {
	return func(ctx context.Context, tx pgx.Tx, t *target) error {
		if err := l.checkOwner(ctx, tx, t); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, dependentsQuery, t.oid, columns)
		if err != nil {
			return fmt.Errorf("reading what depends on %s: %w", t.name, failure(err))
		}
		dependents, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("reading what depends on %s: %w", t.name, failure(err))
		}
		if len(dependents) > 0 {
			return dependentsExist(t, dependents)
		}
		return nil
	}
}

// checkOwner fails early where the role may not make a table for the owner of the one that was found.
func (l *Load) checkOwner(ctx context.Context, tx pgx.Tx, t *target) error {
	var owner string
	var mine, creates bool
	err := tx.QueryRow(ctx, `
		SELECT pg_get_userbyid(relowner), pg_has_role(relowner, 'USAGE'), has_schema_privilege(relowner, relnamespace, 'CREATE')
		       OR pg_get_userbyid(relowner) = current_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
		FROM pg_class WHERE oid = $1`, t.oid).Scan(&owner, &mine, &creates)
	switch {
	case err != nil:
		return fmt.Errorf("reading who owns %s: %w", t.name, failure(err))
	case !mine:
		return events.Failf(events.CodeNotPermitted, "must be owner of table %s; make the ingester's role a member of its owner", t.shown)
	case !creates:
		return events.Failf(events.CodeNotPermitted, "the owner of table %s, %s, may not create tables in its schema; grant CREATE on "+
			"schema %s to that role", t.shown, owner, l.Spec.Schema)
	}
	return nil
}

func dependentsExist(t *target, dependents []string) *events.Failure {
	return events.Failf(events.CodeDependentsExist, "to replace table %s would lose %s", t.shown, listed(dependents))
}

// dependentsQuery lists what hangs on a table ($1) and is not in its heritage: what depends on the table, one of its columns or
// its row type, but for what is part of it; what it depends on itself; and indexes on columns other than those of $2.
const dependentsQuery = `
WITH old AS (SELECT c.*, typarray FROM pg_class c JOIN pg_type t ON t.oid = reltype WHERE c.oid = $1::oid),
parts AS (
  SELECT 'pg_class'::regclass AS class, oid FROM old
  UNION ALL SELECT 'pg_class'::regclass, reltoastrelid FROM old
  UNION ALL SELECT 'pg_type'::regclass, reltype FROM old
  UNION ALL SELECT 'pg_type'::regclass, typarray FROM old
  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = $1::oid AND indisvalid AND NOT indisexclusion
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k LEFT JOIN pg_index ON indexrelid = conindid
    WHERE conrelid = $1::oid AND contype IN ('p', 'u', 'n') AND indisexclusion IS NOT TRUE
  UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid = $1::oid AND tgisinternal),
used AS (
  SELECT indexrelid, unnest(indkey::int2[]) AS attnum FROM pg_index WHERE indrelid = $1::oid
  UNION SELECT indexrelid, refobjsubid FROM pg_index JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = indexrelid
    AND refclassid = 'pg_class'::regclass AND refobjid = indrelid WHERE indrelid = $1::oid)
SELECT DISTINCT what FROM (
  SELECT CASE WHEN ev_class <> old.oid THEN pg_describe_object('pg_class'::regclass, ev_class, 0)
         ELSE pg_describe_object(classid, objid, objsubid) END AS what
  FROM old JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = old.oid
    OR refclassid = 'pg_type'::regclass AND refobjid IN (reltype, typarray)
  LEFT JOIN pg_rewrite r ON classid = 'pg_rewrite'::regclass AND r.oid = objid
  WHERE (classid, objid) NOT IN (SELECT class, oid FROM parts)
  UNION ALL SELECT format('%s, as the file does not have its column %s', pg_describe_object('pg_class'::regclass, indexrelid, 0),
    string_agg(attname, ', '))
  FROM used JOIN pg_attribute a ON attrelid = $1::oid AND a.attnum = used.attnum
  WHERE a.attnum > 0 AND attname <> ALL ($2::text[]) GROUP BY indexrelid
  UNION ALL SELECT 'its row security' FROM old WHERE relrowsecurity OR relforcerowsecurity
  UNION ALL SELECT 'its inheritance from ' || inhparent::regclass FROM pg_inherits WHERE inhrelid = $1::oid
  UNION ALL SELECT 'its type ' || format_type(reloftype, NULL) FROM old WHERE reloftype <> 0
  UNION ALL SELECT 'its membership of extension ' || extname FROM pg_depend JOIN pg_extension e ON refclassid = 'pg_extension'::regclass
    AND refobjid = e.oid WHERE classid = 'pg_class'::regclass AND objid = $1::oid AND deptype = 'e'
  UNION ALL SELECT 'the security label of ' || provider FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = $1::oid
  UNION ALL SELECT 'its subscription ' || subname FROM pg_subscription_rel JOIN pg_subscription s ON s.oid = srsubid
    WHERE srrelid = $1::oid
) AS hanging ORDER BY 1`
