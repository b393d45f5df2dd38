package e2e

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

// column returns the only column of a query's rows.
func column[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(testenv.Context(t), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

// csvOf is a table as a CSV file, in the order in which its rows lie.
func csvOf(t testing.TB, conn *pgx.Conn, table string) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := conn.PgConn().CopyTo(testenv.Context(t), &file, "COPY "+pgx.Identifier{"public", table}.Sanitize()+" TO STDOUT (FORMAT csv, HEADER)"); err != nil {
		t.Fatalf("reading table %s: %v", table, err)
	}
	return file.Bytes()
}

// tables lists the tables that readers see.
func tables(t testing.TB, conn *pgx.Conn) []string {
	t.Helper()
	return column[string](t, conn, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
}

// expectNoStaging checks that nothing of what jobs work with is left, in any schema.
func expectNoStaging(t testing.TB, conn *pgx.Conn) {
	t.Helper()
	if left := column[string](t, conn, `SELECT relname FROM pg_class WHERE relname LIKE 'sluice\_staging\_%'`); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}
