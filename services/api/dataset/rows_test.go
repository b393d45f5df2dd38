package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPagesHaveEachRowOnce(t *testing.T) {
	for name, sql := range map[string]string{
		"no key":            "CREATE TABLE trips (a int, b text)",
		"a primary key":     "CREATE TABLE trips (a int PRIMARY KEY, b text)",
		"a double key":      "CREATE TABLE trips (a int, b text, PRIMARY KEY (b, a))",
		"a unique index":    "CREATE TABLE trips (a int NOT NULL, b text); CREATE UNIQUE INDEX ON trips (a)",
		"one that has NULL": "CREATE TABLE trips (a int UNIQUE, b text)",
		"one for some":      "CREATE TABLE trips (a int NOT NULL, b text); CREATE UNIQUE INDEX ON trips (a) WHERE b = 'x'",
		"one downwards":     "CREATE TABLE trips (a int NOT NULL, b text); CREATE UNIQUE INDEX ON trips (a DESC)",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.loaded("trips", sql+"; INSERT INTO trips SELECT 7 * n % 1009, 'x' || n % 3 FROM generate_series(1, 1000) n; "+
				"DELETE FROM trips WHERE a % 10 = 0; INSERT INTO trips VALUES (5000, '')")
			whole, _ := w.all(RowsQuery{})
			if len(whole) < 900 {
				t.Fatalf("there are %d rows", len(whole))
			}
			for _, limit := range []int{3, 7, 450, len(whole) - 1, len(whole), len(whole) + 1} {
				got, pages := w.all(RowsQuery{Limit: limit})
				if !slices.Equal(got, whole) || pages != (len(whole)+limit-1)/limit {
					t.Errorf("with limit %d there are %d rows on %d pages", limit, len(got), pages)
				}
			}
			sorted := slices.Clone(whole)
			slices.Sort(sorted)
			if len(slices.Compact(sorted)) != len(whole) {
				t.Error("rows come twice")
			}
			export := strings.Split(strings.TrimSuffix(w.exported(ExportQuery{Format: NDJSON}), "\n"), "\n")
			if !slices.Equal(export, whole) {
				t.Errorf("an export has %d rows, the first %s", len(export), export[0])
			}
			for _, filter := range []string{"a:gt:500", "b:eq:x1"} {
				filtered, _ := w.all(RowsQuery{Filters: []string{filter}})
				again, _ := w.all(RowsQuery{Filters: []string{filter}, Limit: 50})
				if len(filtered) < 100 || len(filtered) > 600 || !slices.Equal(filtered, again) {
					t.Errorf("with filter %s there are %d rows, and %d on pages", filter, len(filtered), len(again))
				}
			}
		})
	}
}

// TestKeysOfOtherTypes holds that rows are not compared otherwise than they are ordered: what an extension's type is compared with
// lies beside it, where an unqualified operator is not looked for.
func TestKeysOfOtherTypes(t *testing.T) {
	w := newWorld(t)
	w.loaded("ci", `CREATE EXTENSION citext; CREATE TABLE ci (id citext PRIMARY KEY, n int);
		INSERT INTO ci VALUES ('a', 1), ('B', 2), ('c', 3), ('D', 4)`)
	w.loaded("tree", `CREATE EXTENSION ltree; CREATE TABLE tree (id ltree PRIMARY KEY); INSERT INTO tree VALUES ('a'), ('b'), ('b.c')`)
	if rows, pages := w.all(RowsQuery{Table: "ci", Limit: 1}); len(rows) != 4 || pages < 4 {
		t.Errorf("of four rows there are %q on %d pages", rows, pages)
	}
	if rows, _ := w.all(RowsQuery{Table: "tree", Limit: 1}); len(rows) != 3 {
		t.Errorf("of three rows there are %q", rows)
	}
	w.wantRows(RowsQuery{Table: "ci", Filters: []string{"id:eq:A"}}, `{"id":"a","n":1}`)
	w.wantRows(RowsQuery{Table: "ci", Columns: "n", Filters: []string{"id:gt:b", "id:lte:d"}}, `{"n":3}`, `{"n":4}`)
	w.wantRows(RowsQuery{Table: "tree", Filters: []string{"id:gt:b"}}, `{"id":"b.c"}`)
}

func TestValuesAreExact(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", `CREATE TABLE trips (id bigint, n numeric, f float8, t text, j json, b jsonb, at timestamptz, r text, " x " text[], x bytea);
		INSERT INTO trips VALUES (9223372036854775807, 123456789012345678901234567890.10, 'NaN', E'two  spaces\n"<&>', E'{"a":\n 1.0,  "a": 2}', '[1.10]',
		'2026-01-02 03:04:05.123456+02', NULL, '{a,NULL}', '\xff00')`)
	w.wantRows(RowsQuery{}, `{"id":9223372036854775807,"n":123456789012345678901234567890.10,"f":"NaN","t":"two  spaces\n\"<&>",`+
		`"j":{"a":  1.0,  "a": 2},"b":[1.10],"at":"2026-01-02T01:04:05.123456+00:00","r":null," x ":["a",null],"x":"\\xff00"}`)
	w.wantRows(RowsQuery{Columns: `r," x ",id`}, `{"r":null," x ":["a",null],"id":9223372036854775807}`)
}

func TestStrangeNames(t *testing.T) {
	w := newWorld(t)
	w.Exec("CREATE TABLE y (id int); CREATE TABLE secret (id int)")
	w.Exec(`CREATE SCHEMA "s.""x"`)
	for _, table := range []string{"x; DROP TABLE y", `"quoted"`, `"; DROP TABLE y; --`, "a/b", "ä ö", "%s", "t", "r", strings.Repeat("n", 63)} {
		for _, schema := range []string{"public", `s."x`} {
			name := quotedName(schema) + "." + quotedName(table)
			w.Exec("CREATE TABLE " + name + ` (r int, r_ int, t int, "a""b; --" text); INSERT INTO ` + name + " VALUES (1, 2, 3, 'x')")
			w.Dataset(schema, table, 1)
			q := RowsQuery{Schema: schema, Table: table, Filters: []string{`a"b; --:eq:x`}}
			w.wantRows(q, `{"r":1,"r_":2,"t":3,"a\"b; --":"x"}`)
			q.Filters = []string{`a"b; --:eq:'; DROP TABLE y; --`}
			w.wantRows(q)
		}
	}
	for _, table := range []string{"secret", "pg_class", "y", "none", "", "t\x00", "\xff", strings.Repeat("n", 64), "standing_datasets", "rejects"} {
		for _, schema := range []string{"public", "sluice", "pg_catalog", "none", "", "\x00"} {
			if _, err := w.try(RowsQuery{Schema: schema, Table: table}); schema != "" && !errors.Is(err, ErrNotFound) && table != "" {
				t.Errorf("%q.%q: %v", schema, table, err)
			}
			if err := w.reader.Export(w.ctx, ExportQuery{Schema: schema, Table: table, Format: CSV}, nil); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q.%q: %v", schema, table, err)
			}
		}
	}
	w.Exec("SELECT FROM y")
}

func TestOtherThanTablesAreNoDatasets(t *testing.T) {
	w := newWorld(t)
	w.Exec("CREATE TABLE other (id int)")
	for table, sql := range map[string]string{
		"view": "CREATE VIEW view AS SELECT 1 AS id", "series": "CREATE SEQUENCE series", "index": "CREATE INDEX index ON other (id)",
		"composite": "CREATE TYPE composite AS (id int)", "another": "CREATE TABLE another (id int)",
	} {
		w.loaded(table, "CREATE TABLE "+table+" (id int)")
		w.Exec("DROP TABLE " + table + "; " + sql)
		w.Exec("GRANT SELECT ON ALL TABLES IN SCHEMA public TO sluice_reader")
		if _, err := w.try(RowsQuery{Table: table}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestWhatTheRoleMayNotRead(t *testing.T) {
	w := newWorld(t)
	w.Exec("CREATE SCHEMA closed; CREATE TABLE closed.trips (id int)")
	w.loaded("trips", "CREATE TABLE trips (id int)")
	w.Dataset("closed", "trips", 1)
	w.Exec("REVOKE SELECT ON trips FROM sluice_reader; REVOKE USAGE ON SCHEMA closed FROM sluice_reader")
	for _, schema := range []string{"public", "closed"} {
		if _, err := w.try(RowsQuery{Schema: schema}); !errors.Is(err, ErrNotReadable) {
			t.Errorf("schema %s: %v", schema, err)
		}
	}
}

func TestCursors(t *testing.T) {
	w := newWorld(t)
	fill := "; INSERT INTO trips SELECT n, 'x' FROM generate_series(1, 100) n"
	for _, key := range []string{"", " PRIMARY KEY"} {
		w.loaded("trips", "CREATE TABLE trips (id int"+key+", b text)"+fill)
		second := w.page(RowsQuery{Limit: 10}).Next
		if got := w.page(RowsQuery{Limit: 1, Cursor: second, Columns: "id", Filters: []string{"id:gt:20"}}); string(got.Rows[0]) != `{"id":21}` {
			t.Errorf("with another filter it goes on with %s", got.Rows)
		}
		w.Exec("VACUUM FULL trips")
		_, err := w.try(RowsQuery{Limit: 10, Cursor: second})
		if moved := errors.Is(err, ErrCursorExpired); moved != (key == "") || !moved && err != nil {
			t.Errorf("key%s: rewritten: %v", key, err)
		}
		w.Exec("DELETE FROM sluice.datasets; DROP TABLE trips")
		w.loaded("trips", "CREATE TABLE trips (id int"+key+", b text)"+fill)
		if _, err := w.try(RowsQuery{Limit: 10, Cursor: second}); !errors.Is(err, ErrCursorExpired) {
			t.Errorf("key%s: replaced: %v", key, err)
		}
		w.forged(w.page(RowsQuery{Limit: 10}).Next)
		w.Exec("DELETE FROM sluice.datasets; DROP TABLE trips")
	}
}

// forged tries what nobody has been given, beside what the table has.
func (w *world) forged(genuine string) {
	w.Helper()
	var p place
	if err := decodeCursor(genuine, &p); err != nil {
		w.Fatal(err)
	}
	bad := []string{"x", "!", genuine + "A", genuine[1:], encodeCursor(1), encodeCursor(nil), encodeCursor(place{}), encodeCursor(nameCursor{"a", "b"})}
	for _, key := range [][]string{{}, nil, {"1", "2"}, {"x"}, {"1; DROP TABLE trips"}, {"(0,0"}, {"(1,2) "}, {"(-1,2)"}, {"(9999999999,1)"}, {"\x00"}, {"\xff"}} {
		bad = append(bad, encodeCursor(place{p.Table, p.File, p.Index, key}))
	}
	bad = append(bad, encodeCursor(place{p.Table, 0, 0, p.Key}), encodeCursor(place{p.Table, 1, 1, p.Key}), encodeCursor(place{0, p.File, p.Index, p.Key}))
	for _, cursor := range bad {
		_, err := w.try(RowsQuery{Cursor: cursor})
		wantParameter(w.T, cursor, err, "cursor")
	}
}

// A page ends before it has too many bytes, but has a row.
func TestPagesAreBoundedInBytes(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"", " PRIMARY KEY"} {
		w.loaded("trips", "CREATE TABLE trips (id int"+key+fmt.Sprintf(`, big text);
			INSERT INTO trips SELECT n, repeat('x', CASE n WHEN 3 THEN %d ELSE %d END) FROM generate_series(1, 7) n`, pageBytes+1000, pageBytes/3))
		var got []int
		q := RowsQuery{}
		for {
			page := w.page(q)
			got = append(got, len(page.Rows))
			if q.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if want := []int{2, 1, 2, 2}; !slices.Equal(got, want) {
			t.Errorf("key%s: pages have %d rows, want %d", key, got, want)
		}
		w.Exec("DELETE FROM sluice.datasets; DROP TABLE trips")
	}
}
