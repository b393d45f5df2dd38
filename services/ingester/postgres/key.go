package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// checkNewKey fails if the file lacks a column of the key.
func (l *Load) checkNewKey() error {
	file := l.fileColumns()
	for _, name := range l.Spec.Key {
		if !slices.Contains(file, name) {
			return events.Failf(events.CodeKeyUnusable, "the file does not have the key's column %s; it has %s", name, listed(file))
		}
	}
	return nil
}

// checkKey fails unless the table tells rows apart by the key. Postgres would go by a deferrable index, too, and then refuse to.
func (l *Load) checkKey(ctx context.Context, tx pgx.Tx, t *target) error {
	if err := l.checkNewKey(); err != nil {
		return err
	}
	var unique, deferrable bool
	err := tx.QueryRow(ctx, `
		SELECT coalesce(bool_or(indimmediate), false), coalesce(bool_or(NOT indimmediate), false)
		FROM pg_index i WHERE indrelid = $1 AND indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL AND (
		    SELECT array_agg(attname::text ORDER BY attname::text COLLATE "C") FROM unnest(indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
		    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE place <= indnkeyatts
		  ) = (SELECT array_agg(name ORDER BY name COLLATE "C") FROM unnest($2::text[]) AS key (name))`,
		t.oid, l.Spec.Key).Scan(&unique, &deferrable)
	if err != nil {
		return fmt.Errorf("reading the indexes of %s: %w", t.name, failure(err))
	}
	if !unique {
		key := strings.Join(quoted(l.Spec.Key), ", ")
		return events.Failf(events.CodeKeyUnusable, "table %s has no unique index on exactly the key (%s), without a condition and not "+
			"deferrable; make one: CREATE UNIQUE INDEX ON %s (%s)", t.shown, key, t.name, key)
	}
	if deferrable {
		return events.Failf(events.CodeKeyUnusable, "table %s has a deferrable unique constraint on the key (%s), by which Postgres cannot "+
			"upsert, although another index would do; drop it, or make it NOT DEFERRABLE", t.shown, strings.Join(l.Spec.Key, ", "))
	}
	return nil
}

// checkKeyValues fails if a staged row has no value in a column of the key. Rows with NULL are never the same.
func (l *Load) checkKeyValues(ctx context.Context, tx pgx.Tx) error {
	if len(l.Spec.Key) == 0 {
		return nil
	}
	example, err := l.example(ctx, tx, "", l.staging()+" WHERE "+strings.Join(quoted(l.Spec.Key), " IS NULL OR ")+" IS NULL")
	if err != nil || example == "" {
		return err
	}
	return events.Failf(events.CodeKeyUnusable, "a row of the file has no value in the key: %s", example)
}

// keyTwice says which key two of the file's rows have, which are in the table from. The types of the table that they were to
// go into say what is the same.
func (l *Load) keyTwice(ctx context.Context, tx pgx.Tx, from string, into *target) error {
	same := quoted(l.Spec.Key)
	if into != nil {
		for i, name := range l.Spec.Key {
			same[i] = l.value(into.column(name))
		}
	}
	example, err := l.example(ctx, tx, "min", from+" GROUP BY "+strings.Join(same, ", ")+" HAVING count(*) > 1")
	if err != nil {
		return err
	}
	if example == "" {
		example = "(" + strings.Join(l.Spec.Key, ", ") + ")"
	}
	return events.Failf(events.CodeKeyUnusable, "two rows of the file have the same key: %s", example)
}

// example shows a key that is found, each of its values by way of a function, or "".
func (l *Load) example(ctx context.Context, tx pgx.Tx, function, from string) (string, error) {
	shown := quoted(l.Spec.Key)
	for i, name := range shown {
		shown[i] = "coalesce(left(" + function + "(" + name + "::text), 100), 'NULL')"
	}
	var values []string
	err := tx.QueryRow(ctx, "SELECT ARRAY["+strings.Join(shown, ", ")+"] FROM "+from+" LIMIT 1").Scan(&values)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the keys of job %s: %w", l.JobID, failure(err))
	}
	return "(" + strings.Join(l.Spec.Key, ", ") + ") = (" + strings.Join(values, ", ") + ")", nil
}
