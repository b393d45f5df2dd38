package postgres_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// told are the columns of a table that tell where its rows come from, as they are to be.
var told = []string{"_line bigint", "_job uuid", "_loaded_at timestamp with time zone"}

// wantLineage checks of each row its first column and its line, "?" for one that has none; those with one must be of the job that
// has loaded the dataset last, and of its time, unless they are marked with a *: those are of an earlier one.
func (w *world) wantLineage(table string, want ...string) {
	w.Helper()
	w.wantList("lineage of "+table, want, `SELECT t.id || ' ' || CASE WHEN coalesce(_line, 0) = 0 AND _job IS NULL AND _loaded_at IS NULL THEN '?'
		WHEN _job = job_id AND _loaded_at = loaded_at THEN _line::text
		WHEN _job <> job_id AND _loaded_at <= loaded_at THEN _line || '*' ELSE t::text END
		FROM `+table+` t, sluice.datasets d WHERE d.table_name = $1 ORDER BY t.id, _line`, table)
}

// TestLineageOfNewTables holds that each row of a table that is made tells of its line, its job and its time, and that rows which
// others add later do not tell of these.
func TestLineageOfNewTables(t *testing.T) {
	for _, mode := range events.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			f := file{mode: mode, columns: []string{"id", "City"}, rows: []string{"2|Bonn", "1|"}, lineage: true}
			if mode == events.Upsert {
				f.key = []string{"id"}
			}
			before := time.Now().Truncate(time.Millisecond)
			o := w.loaded(f)
			w.wantColumns("trips", append([]string{"id text", "City text"}, told...)...)
			w.wantLineage("trips", "1 3", "2 2")
			var at time.Time
			w.must(w.raw.QueryRow(testenv.Context(t), "SELECT DISTINCT _loaded_at FROM trips").Scan(&at))
			if at.Before(before) || at.After(time.Now()) {
				t.Errorf("loaded at %s, and it was after %s", at, before)
			}
			if len(o.Result.Columns) != 2 {
				t.Errorf("the result is %+v", o.Result)
			}
			w.exec("INSERT INTO trips (id) VALUES ('3')")
			w.wantLineage("trips", "1 3", "2 2", "3 ?")
		})
	}
}

func TestLineageBesideExtraColumn(t *testing.T) {
	w := newWorld(t)
	w.loaded(file{columns: []string{"id"}, rows: []string{"1|{a}", "2|"}, extra: true, lineage: true})
	w.wantColumns("trips", "id text", told[0], "_extra ARRAY", told[1], told[2])
	w.wantLineage("trips", "1 2", "2 3")
	w.wantList("surplus values", []string{"{a}", "NULL"}, "SELECT coalesce(_extra::text, 'NULL') FROM trips ORDER BY id")
	w.loaded(file{mode: events.Append, columns: []string{"id"}, rows: []string{"3|{b}"}, extra: true, lineage: true})
	w.wantLineage("trips", "1 2*", "2 3*", "3 2")
}

func TestLineageOfRowsThatAreAppended(t *testing.T) {
	w := newWorld(t)
	names := []string{"id"}
	w.loaded(file{columns: names, rows: []string{"1", "2"}, lineage: true})
	w.loaded(file{mode: events.Append, columns: names, rows: []string{"3"}})
	w.loaded(file{mode: events.Append, columns: names, rows: []string{"4", "5"}, lineage: true})
	w.wantLineage("trips", "1 2*", "2 3*", "3 ?", "4 2", "5 3")
}

// TestLineageOfRowsThatAreUpserted holds that a row's lineage is that of the job which has written it last. One without lineage
// leaves the columns as it does all that the file does not have.
func TestLineageOfRowsThatAreUpserted(t *testing.T) {
	w := newWorld(t)
	upserted := func(lineage bool, rows ...string) {
		w.loaded(file{mode: events.Upsert, key: []string{"id"}, columns: []string{"id", "city"}, rows: rows, lineage: lineage})
	}
	upserted(true, "1|Bonn", "2|Rome", "3|Oslo")
	upserted(true, "4|Kyiv", "2|Paris")
	w.wantLineage("trips", "1 2*", "2 3", "3 4*", "4 2")
	upserted(false, "1|Ulm", "5|Jena")
	w.wantList("cities", []string{"1 Ulm", "2 Paris", "3 Oslo", "4 Kyiv", "5 Jena"}, "SELECT id || ' ' || city FROM trips ORDER BY id")
	w.wantLineage("trips", "1 2*", "2 3*", "3 4*", "4 2*", "5 ?")
}

// TestReplacementsHaveTheirOwnLineage holds that the columns come and go with what is asked for, and keep what the table has for them.
func TestReplacementsHaveTheirOwnLineage(t *testing.T) {
	w := newWorld(t)
	names := []string{"id"}
	w.exec("CREATE TABLE trips (id text)")
	w.loaded(file{mode: events.Replace, columns: names, rows: []string{"1"}, lineage: true})
	w.wantColumns("trips", append([]string{"id text"}, told...)...)
	w.exec(`ALTER TABLE trips ALTER _job SET NOT NULL; CREATE INDEX of_job ON trips (_job, _line); COMMENT ON COLUMN trips._loaded_at IS 'when'`)
	w.loaded(file{mode: events.Replace, columns: names, rows: []string{"1", "2"}, lineage: true})
	w.wantLineage("trips", "1 2", "2 3")
	w.wantList("what is kept", []string{"of_job", "when", "_job"}, `SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'trips'::regclass
		UNION ALL SELECT col_description('trips'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'trips'::regclass AND attname = '_loaded_at'
		UNION ALL SELECT attname FROM pg_attribute WHERE attrelid = 'trips'::regclass AND attnum > 0 AND attnotnull`)
	w.refused(file{mode: events.Append, columns: names, rows: []string{"3"}}, events.CodeColumnsDiffer, "the file does not have column _job")
	w.refused(file{mode: events.Replace, columns: names, rows: []string{"3"}}, events.CodeDependentsExist, "index of_job")
	w.exec("DROP INDEX of_job")
	w.loaded(file{mode: events.Replace, columns: names, rows: []string{"3"}})
	w.wantColumns("trips", "id text")
}

// TestTablesWithoutRoomForLineage holds that lineage which the table could not keep as it is is refused, before any row is read.
func TestTablesWithoutRoomForLineage(t *testing.T) {
	for name, c := range map[string]struct {
		columns, says string
		fine          events.Mode // to which it does not matter
	}{
		"no columns":    {"", "does not have the columns _line, _job, _loaded_at", events.Replace},
		"not all":       {", _line bigint, _job uuid", "does not have column _loaded_at", events.Replace},
		"short lines":   {", _line int, _job uuid, _loaded_at timestamptz", "column _line of table public.trips has the type integer instead of bigint", ""},
		"a text":        {", _line bigint, _job text, _loaded_at timestamptz", "has the type text instead of uuid", ""},
		"no time zone":  {", _line bigint, _job uuid, _loaded_at timestamp", "instead of timestamp with time zone", ""},
		"seconds only":  {", _line bigint, _job uuid, _loaded_at timestamptz(0)", "instead of timestamp with time zone", ""},
		"its own lines": {", _line bigint GENERATED ALWAYS AS (1) STORED, _job uuid, _loaded_at timestamptz", "", ""},
	} {
		for _, mode := range []events.Mode{events.Append, events.Upsert, events.Replace} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				w := newWorld(t)
				w.exec("CREATE TABLE trips (id text PRIMARY KEY" + c.columns + "); INSERT INTO trips (id) VALUES ('0')")
				f := file{mode: mode, columns: []string{"id"}, rows: []string{"1"}, lineage: true}
				if mode == events.Upsert {
					f.key = f.columns
				}
				if mode == c.fine {
					w.loaded(f)
					w.wantLineage("trips", "1 2")
					return
				}
				load, err := f.opened(testenv.Context(t), w.db)
				w.must(err)
				err = load.Prepare(testenv.Context(t), postgres.File{Columns: columns(f.columns...)})
				code := events.CodeColumnsDiffer
				if c.says == "" && mode == events.Replace {
					code = events.CodeDependentsExist
				}
				if got := wantFailure(t, err, code); !strings.Contains(got.Message, c.says) {
					t.Errorf("the message is %q, want %q in it", got.Message, c.says)
				}
				w.wantList("rows", []string{"0"}, "SELECT id FROM trips")
			})
		}
	}
}

// TestLineageIsNoneOfTheFile holds that neither a key nor a stated type can mean it.
func TestLineageIsNoneOfTheFile(t *testing.T) {
	w := newWorld(t)
	w.refused(file{mode: events.Upsert, key: []string{"_line"}, columns: []string{"id"}, rows: []string{"1"}, lineage: true},
		events.CodeKeyUnusable, "the file does not have the key's column _line")
	claim := w.claim(1)
	claim.Spec.Lineage, claim.Spec.Types.Stated = true, map[string]events.ColumnType{"_job": {Type: "text"}}
	load, _, err := w.db.Open(testenv.Context(t), claim)
	w.must(err)
	err = load.Prepare(testenv.Context(t), postgres.File{Columns: columns("id")})
	if f := wantFailure(t, err, events.CodeColumnsDiffer); !strings.Contains(f.Message, "column _job, which the file does not have") {
		t.Errorf("it fails with %v", f)
	}
}

// TestLineageOfInferredTypes holds that the types of the file's columns are inferred as ever beside it.
func TestLineageOfInferredTypes(t *testing.T) {
	w := newWorld(t)
	o := w.loaded(file{columns: []string{"id", "price"}, rows: []string{"1|1.50", "2|"}, lineage: true, types: events.ColumnTypes{Infer: true}})
	w.wantColumns("trips", append([]string{"id smallint", "price numeric"}, told...)...)
	w.wantLineage("trips", "1 2", "2 3")
	if c := o.Result.Columns; len(c) != 2 || c[0].Type != "smallint" || c[1].Type != "numeric" {
		t.Errorf("the result tells of the columns %+v", c)
	}
}
