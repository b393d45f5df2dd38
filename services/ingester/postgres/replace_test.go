package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// facts are all that a table is known for, but for its rows, as pg_dump would tell it.
const facts = `
	WITH t AS (SELECT * FROM pg_class WHERE oid = 'trips'::regclass)
	SELECT 'owner ' || pg_get_userbyid(relowner) FROM t
	UNION ALL SELECT 'rights ' || coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(relacl) a), '') FROM t
	UNION ALL SELECT 'comment ' || obj_description(oid, 'pg_class') FROM t
	UNION ALL SELECT 'options ' || reloptions::text FROM t
	UNION ALL SELECT 'toast options ' || reloptions::text FROM pg_class WHERE oid = (SELECT reltoastrelid FROM t)
	UNION ALL SELECT 'persistence ' || relpersistence::text || ', identity ' || relreplident::text || ', method ' || relam FROM t
	UNION ALL SELECT concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, attstattarget,
		attstorage, attcompression, attoptions, attacl, col_description(attrelid, attnum)) FROM pg_attribute WHERE attrelid = (SELECT oid FROM t) AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisclustered, indisreplident, indisvalid, reloptions, obj_description(indexrelid, 'pg_class'))
		FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = (SELECT oid FROM t)
	UNION ALL SELECT 'statistics ' || attname || attstattarget FROM pg_index JOIN pg_attribute ON attrelid = indexrelid
		WHERE indrelid = (SELECT oid FROM t) AND attstattarget >= 0
	UNION ALL SELECT concat_ws(' ', 'constraint', conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')) FROM pg_constraint WHERE conrelid = (SELECT oid FROM t)
	ORDER BY 1`

func TestReplaceKeepsWhatTheTableHas(t *testing.T) {
	w := newWorld(t)
	for _, role := range []string{"owner", "reader", "clerk"} {
		name := role + `"_` + hex(w.job)
		w.exec("CREATE ROLE " + pgx.Identifier{name}.Sanitize())
		defer w.exec("DROP OWNED BY " + pgx.Identifier{name}.Sanitize() + "; DROP ROLE " + pgx.Identifier{name}.Sanitize())
	}
	role := func(sql string) {
		for _, r := range []string{"owner", "reader", "clerk"} {
			sql = strings.ReplaceAll(sql, "@"+r, pgx.Identifier{r + `"_` + hex(w.job)}.Sanitize())
		}
		w.exec(sql)
	}
	role(`CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		CREATE TABLE trips (id int, gone int, "City" text COLLATE anycase, note text, n numeric(6,2), at timestamptz, vanishes text) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
		ALTER TABLE trips DROP COLUMN gone;
		ALTER TABLE trips ADD CONSTRAINT "the Key" PRIMARY KEY (id), ADD CONSTRAINT unique_city UNIQUE NULLS NOT DISTINCT ("City", n) INCLUDE (note) DEFERRABLE INITIALLY DEFERRED;
		CREATE INDEX "Lower ""one""" ON trips (lower(note) text_pattern_ops DESC NULLS LAST, at) WITH (fillfactor = 50) WHERE n > 1 AND note <> ' USING ';
		CREATE UNIQUE INDEX by_note ON trips (note);
		CREATE INDEX ON trips USING brin (at);
		ALTER TABLE trips ALTER note SET NOT NULL, ALTER n SET STATISTICS 77, ALTER note SET STORAGE EXTERNAL, ALTER note SET COMPRESSION pglz, ALTER id SET (n_distinct = -0.5), ALTER vanishes SET NOT NULL;
		ALTER INDEX "Lower ""one""" ALTER COLUMN 1 SET STATISTICS 55;
		ALTER TABLE trips CLUSTER ON by_note; ALTER TABLE trips REPLICA IDENTITY USING INDEX by_note;
		COMMENT ON TABLE trips IS E'It''s \\ "the" table'; COMMENT ON COLUMN trips."City" IS 'where'; COMMENT ON COLUMN trips.vanishes IS 'no more';
		COMMENT ON INDEX by_note IS 'an index'; COMMENT ON CONSTRAINT "the Key" ON trips IS 'a key';
		GRANT ALL ON SCHEMA public TO @owner; ALTER TABLE trips OWNER TO @owner;
		REVOKE TRUNCATE ON trips FROM @owner;
		GRANT SELECT ON trips TO PUBLIC; GRANT UPDATE, DELETE ON trips TO @clerk WITH GRANT OPTION; GRANT INSERT (id, "City"), SELECT (vanishes) ON trips TO @reader;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT DELETE, SELECT ON TABLES TO @reader;
		INSERT INTO trips VALUES (1, 'x', 'x', 1, now(), 'x')`)
	before := w.list(facts)
	f := file{mode: events.Replace, columns: []string{"note", "n", "id", "new", "at", "City"}, rows: []string{"a|1.5|1|x|2024-01-31|Bonn", "b||2|||"}}
	o := w.loaded(f)
	var want []string
	for _, fact := range before {
		if !strings.HasPrefix(fact, "column vanishes") && !strings.Contains(fact, "NOT NULL vanishes") {
			want = append(want, fact)
		}
	}
	got := w.list(facts)
	var kept []string
	for _, fact := range got {
		if !strings.HasPrefix(fact, "column new text") {
			kept = append(kept, fact)
		}
	}
	if a, b := strings.Join(kept, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("the table has\n%s\nwant\n%s", a, b)
	}
	if len(got) != len(kept)+1 || len(got) < 20 {
		t.Errorf("%d facts", len(got))
	}
	w.wantList("rows", []string{"a 1.50 1 x Bonn", "b 2"}, `SELECT concat_ws(' ', note, n, id, new, "City") FROM trips ORDER BY id`)
	if c := o.Result.Columns; c[1].Type != "numeric(6,2)" || c[3].Type != "text" {
		t.Errorf("the columns are told as %+v", c)
	}
	w.loaded(f) // once more, over what Sluice has made itself
	if a, b := strings.Join(w.list(facts), "\n"), strings.Join(got, "\n"); a != b {
		t.Errorf("the table has\n%s\nwant\n%s", a, b)
	}
	w.wantTables("trips")
}

func TestRightsAreNotWidened(t *testing.T) {
	w := newWorld(t)
	w.exec(`CREATE TABLE trips (id text); ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO PUBLIC`)
	w.loaded(file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1"}})
	w.wantList("rights of everyone", nil, "SELECT privilege_type FROM pg_class, aclexplode(relacl) WHERE oid = 'trips'::regclass AND grantee = 0")
	w.exec("CREATE UNLOGGED TABLE quick (id text); ALTER TABLE quick REPLICA IDENTITY FULL")
	w.loaded(file{mode: events.Replace, table: "quick", columns: []string{"id"}, rows: []string{"1"}})
	w.wantList("quick", []string{"uf"}, "SELECT relpersistence::text || relreplident::text FROM pg_class WHERE relname = 'quick'")
}

func TestReplaceKeepsThePlace(t *testing.T) {
	w := newWorld(t)
	space := "space_" + hex(w.job)
	conn, err := pgx.Connect(testenv.Context(t), w.url)
	w.must(err)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range []string{"SET allow_in_place_tablespaces = on", "CREATE TABLESPACE " + space + " LOCATION ''"} {
		_, err = conn.Exec(testenv.Context(t), sql)
		w.must(err)
	}
	defer w.exec("DROP TABLESPACE " + space)
	defer w.exec("DROP TABLE trips")
	w.exec("CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler")
	w.exec("CREATE TABLE trips (id text, n text) USING heap_too TABLESPACE " + space + "; CREATE INDEX by_n ON trips (n) TABLESPACE " + space)
	w.loaded(file{mode: events.Replace, columns: []string{"id", "n"}, rows: []string{"1|2"}})
	w.wantList("places", []string{"by_n " + space + " btree", "trips " + space + " heap_too"}, `SELECT concat_ws(' ', relname, spcname, amname)
		FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace JOIN pg_am a ON a.oid = relam WHERE relname IN ('trips', 'by_n') ORDER BY 1`)
}

func TestReplacementsThatDoNotFit(t *testing.T) {
	w := newWorld(t)
	w.exec(`CREATE TABLE trips (id int PRIMARY KEY, code varchar(3) NOT NULL, plate text); CREATE UNIQUE INDEX plates ON trips (plate); INSERT INTO trips VALUES (0, 'x', 'y')`)
	for _, c := range []struct{ row, says string }{
		{"x|abc|p", `"x"`},
		{"1|abcd|p", "varying(3)"},
		{"1||p", "column code"},
		{"|abc|p", "column id"},
		{"2|abc|p", "Key (id)=(2) is duplicated"},
		{"1|abc|q", "index plates"},
	} {
		w.refused(file{mode: events.Replace, columns: []string{"id", "code", "plate"}, rows: []string{"2|b|q", c.row}}, events.CodeValueInvalid, c.says)
	}
	w.wantTable("trips", "(0,x,y)")
}

// What would be lost with the table is refused by name, before a row is read.
func TestDependents(t *testing.T) {
	for name, c := range map[string]struct{ make, says string }{
		"view":              {"CREATE VIEW v AS SELECT id FROM trips", "view v"},
		"view of the row":   {"CREATE VIEW v AS SELECT trips FROM trips", "view v"},
		"materialized view": {"CREATE MATERIALIZED VIEW v AS SELECT id FROM trips", "materialized view v"},
		"foreign key to it": {"CREATE TABLE other (id int REFERENCES trips)", "constraint other_id_fkey on table other"},
		"its foreign key":   {"CREATE TABLE other (id int PRIMARY KEY); ALTER TABLE trips ADD CONSTRAINT away FOREIGN KEY (n) REFERENCES other", "constraint away"},
		"trigger":           {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER fires AFTER INSERT ON trips FOR EACH ROW EXECUTE FUNCTION f()", "trigger fires"},
		"rule":              {"CREATE RULE odd AS ON DELETE TO trips DO INSTEAD NOTHING", "rule odd"},
		"policy":            {"CREATE POLICY mine ON trips USING (true)", "policy mine"},
		"row security":      {"ALTER TABLE trips ENABLE ROW LEVEL SECURITY", "its row security"},
		"publication":       {"CREATE PUBLICATION news FOR TABLE trips", "news"},
		"child":             {"CREATE TABLE child () INHERITS (trips)", "table child"},
		"parent":            {"CREATE TABLE parent (id int); ALTER TABLE trips INHERIT parent", "parent"},
		"partition":         {"CREATE TABLE parent (id int NOT NULL, n int, city text) PARTITION BY LIST (id); ALTER TABLE parent ATTACH PARTITION trips FOR VALUES IN (1)", "parent"},
		"statistics":        {"CREATE STATISTICS both_of (dependencies) ON id, n FROM trips", "both_of"},
		"default":           {"ALTER TABLE trips ALTER n SET DEFAULT 1", "default value for column n"},
		"identity":          {"ALTER TABLE trips ALTER id ADD GENERATED ALWAYS AS IDENTITY", "sequence trips_id_seq"},
		"generated":         {"ALTER TABLE trips ADD twice int GENERATED ALWAYS AS (n * 2) STORED", "column twice"},
		"check":             {"ALTER TABLE trips ADD CONSTRAINT positive CHECK (n > 0)", "constraint positive"},
		"exclusion":         {"ALTER TABLE trips ADD CONSTRAINT apart EXCLUDE (n WITH =)", "constraint apart"},
		"owned sequence":    {"CREATE SEQUENCE counts OWNED BY trips.n", "sequence counts"},
		"function of it":    {"CREATE FUNCTION g(trips) RETURNS int LANGUAGE sql AS 'SELECT 1'", "function g(trips)"},
		"function of many":  {"CREATE FUNCTION g(trips[]) RETURNS int LANGUAGE sql AS 'SELECT 1'", "function g(trips[])"},
		"function body":     {"CREATE FUNCTION g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM trips; END", "function g()"},
		"column of its row": {"CREATE TABLE other (trip trips)", "column trip of table other"},
		"index":             {"CREATE INDEX on_gone ON trips (gone)", "index on_gone, as the file does not have its column gone"},
		"partial index":     {"CREATE INDEX on_gone ON trips (id) WHERE gone > 0", "index on_gone"},
		"index on a sum":    {"CREATE INDEX on_gone ON trips ((n + gone))", "index on_gone"},
		"included column":   {"CREATE INDEX on_gone ON trips (n) INCLUDE (gone)", "index on_gone"},
		"constraint":        {"ALTER TABLE trips ADD CONSTRAINT on_gone UNIQUE (id, gone)", "index on_gone"},
		"many":              {"DO $$ BEGIN FOR n IN 1..30 LOOP EXECUTE 'CREATE VIEW v' || n || ' AS SELECT * FROM trips'; END LOOP; END $$", "and 20 more"},
		"extension":         {"ALTER EXTENSION plpgsql ADD TABLE trips", "extension plpgsql"},
		"typed":             {"DROP TABLE trips; CREATE TYPE kind AS (id int); CREATE TABLE trips OF kind", "its type kind"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.exec("CREATE TABLE trips (id int PRIMARY KEY, n int, city text)")
			if !strings.Contains(c.make, "PARTITION") {
				w.exec("ALTER TABLE trips ADD COLUMN gone int")
			}
			if c.make != "" {
				w.exec(c.make)
			}
			f := file{mode: events.Replace, columns: []string{"id", "n", "city"}, rows: []string{"1|2|x"}}
			w.refused(f, events.CodeDependentsExist, "table public.trips", c.says)
			load, err := f.opened(testenv.Context(t), w.db)
			w.must(err)
			wantFailure(t, load.Prepare(testenv.Context(t), postgres.File{Columns: columns(f.columns...)}), events.CodeDependentsExist)
		})
	}
}

// What is made beside a table while its replacement loads is not lost either.
func TestDependentsThatComeLater(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.exec("CREATE TABLE trips (id text); INSERT INTO trips VALUES ('0')")
	f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1"}}
	load, err := f.opened(ctx, w.db)
	w.must(err)
	w.must(load.Prepare(ctx, postgres.File{Columns: columns("id")}))
	w.exec("CREATE VIEW v AS SELECT * FROM trips")
	_, err = f.publishWith(ctx, load)
	wantFailure(t, err, events.CodeDependentsExist)
	w.wantTable("trips", "(0)")
}

// A right is granted without a lock on the table. The replacement waits for that, and comes again to keep the right.
func TestReplacementMeetsAGrant(t *testing.T) {
	for name, grant := range map[string]string{
		"table": "GRANT SELECT ON trips TO PUBLIC", "column": "GRANT SELECT (id) ON trips TO PUBLIC",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			w.exec("CREATE TABLE trips (id text)")
			tx, err := w.raw.Begin(ctx)
			w.must(err)
			_, err = tx.Exec(ctx, grant)
			w.must(err)
			f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1"}}
			ended := make(chan error, 1)
			go func() {
				_, err := f.loadBy(ctx, w.db)
				ended <- err
			}()
			w.waitUntilBlocked("DROP TABLE")
			w.must(tx.Commit(ctx))
			wantFailure(t, <-ended, events.CodeDatabaseUnavailable)
			w.loaded(f)
			w.wantList("rights of everyone", []string{"SELECT"}, `SELECT privilege_type FROM pg_class, aclexplode(relacl)
				WHERE oid = 'trips'::regclass AND grantee = 0 UNION ALL SELECT privilege_type FROM pg_attribute, aclexplode(attacl)
				WHERE attrelid = 'trips'::regclass AND grantee = 0`)
		})
	}
}

// While the replacement is made ready someone changes the table, or its rows, in a transaction that is still open.
func TestReplacementMeetsAChange(t *testing.T) {
	for name, c := range map[string]struct {
		change string
		code   events.Code
	}{
		"index":   {"CREATE INDEX later ON trips (id)", events.CodeTableBusy},
		"comment": {"LOCK TABLE trips; COMMENT ON TABLE trips IS 'later'", events.CodeTableBusy},
		"view":    {"LOCK TABLE trips; CREATE VIEW v AS SELECT * FROM trips", events.CodeDependentsExist},
		"dropped": {"DROP TABLE trips", events.CodeTableBusy},
		"other":   {"DROP TABLE trips; CREATE TABLE trips (id text)", events.CodeTableBusy},
		"rows":    {"INSERT INTO trips VALUES ('x')", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			w.exec("CREATE TABLE trips (id text)")
			tx, err := w.raw.Begin(ctx)
			w.must(err)
			defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
			_, err = tx.Exec(ctx, c.change)
			w.must(err)
			f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1"}}
			ended := make(chan error, 1)
			go func() {
				_, err := f.loadBy(ctx, w.db)
				ended <- err
			}()
			w.waitUntilBlocked("LOCK TABLE")
			w.must(tx.Commit(ctx))
			if err := <-ended; c.code == "" {
				w.must(err)
			} else {
				wantFailure(t, err, c.code)
			}
		})
	}
}
