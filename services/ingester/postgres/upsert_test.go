package postgres_test

import (
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

func TestUpsertReplacesWhatTheFileHas(t *testing.T) {
	w := newWorld(t)
	w.exec(`CREATE TABLE trips (id int, day date, city text, note text DEFAULT 'new'); CREATE UNIQUE INDEX ON trips (day, id) INCLUDE (note);
		INSERT INTO trips VALUES (1, '2024-01-31', 'Bonn', 'kept'), (2, '2024-01-31', 'Rome', 'kept'), (NULL, NULL, 'Oslo', 'kept')`)
	o := w.loaded(file{
		mode: events.Upsert, key: []string{"id", "day"}, columns: []string{"city", "day", "id"},
		rows: []string{"Paris|2024-01-31|1", "|31 Jan 2024|02", "Kyiv|2024-02-01|1"},
	})
	w.wantTable("trips", "(,,Oslo,kept)", "(1,2024-01-31,Paris,kept)", "(1,2024-02-01,Kyiv,new)", "(2,2024-01-31,,kept)")
	if o.Result.Rows != 3 {
		t.Errorf("the result is %+v", o.Result)
	}
}

func TestKeyMustTellRowsApart(t *testing.T) {
	names, key := []string{"id", "day", "city"}, []string{"id", "day"}
	for name, c := range map[string]struct {
		make, says string
		key        []string
		rows       []string
	}{
		"no value, new table":          {"", "(id, day) = (NULL, 5)", key, []string{"1|1|x", "|5|x"}},
		"twice, new table":             {"", "(id, day) = (1, 5)", key, []string{"1|5|x", "2|5|x", "1|5|y"}},
		"not in the file, new table":   {"", "column other", []string{"other"}, nil},
		"no value":                     {"UNIQUE (id, day)", "(id, day) = (1, NULL)", key, []string{"1||x"}},
		"no value, which is a value":   {"UNIQUE NULLS NOT DISTINCT (id, day)", "(id, day) = (1, NULL)", key, []string{"1||x"}},
		"twice":                        {"PRIMARY KEY (day, id)", "(id, day) = (1, 5)", key, []string{"1|5|x", "1|5|y"}},
		"twice, but as texts":          {"PRIMARY KEY (day, id)", "(id, day) = (01, 5)", key, []string{"1|5|x", "01|5|y"}},
		"twice, one of them is there":  {"PRIMARY KEY (day, id)", "(id, day) = (7, 7)", key, []string{"7|7|x", "7|7|y"}},
		"twice, and nothing but a key": {"PRIMARY KEY (day, id)", "(id, day) = (7, 7)", key, []string{"7|7", "7|7"}},
		"not in the file":              {"PRIMARY KEY (id), UNIQUE (more)", "column more", []string{"more"}, []string{"1|5|x"}},
		"no index":                     {"CHECK (true)", `CREATE UNIQUE INDEX ON "public"."trips" ("id", "day")`, key, []string{"1|5|x"}},
		"index on less":                {"PRIMARY KEY (id)", "no unique index", key, []string{"1|5|x"}},
		"index on more":                {"PRIMARY KEY (id, day, city)", "no unique index", key, []string{"1|5|x"}},
		"deferrable":                   {"UNIQUE (id, day) DEFERRABLE", "no unique index", key, []string{"1|5|x"}},
		"deferrable, too":              {"PRIMARY KEY (id, day), UNIQUE (day, id) DEFERRABLE", "a deferrable unique constraint", key, []string{"1|5|x"}},
		"exclusion":                    {"EXCLUDE USING btree (id WITH =, day WITH =)", "no unique index", key, []string{"1|5|x"}},
		"partial":                      {"CHECK (true)); CREATE UNIQUE INDEX ON trips (id, day) WHERE (id > 0", "no unique index", key, []string{"1|5|x"}},
		"expression":                   {"CHECK (true)); CREATE UNIQUE INDEX ON trips (id, day, (id + 1)", "no unique index", key, []string{"1|5|x"}},
		"not unique":                   {"CHECK (true)); CREATE INDEX ON trips (id, day", "no unique index", key, []string{"1|5|x"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.make != "" {
				w.exec("CREATE TABLE trips (id int, day int, city text, more int, " + c.make + ")")
				w.exec("INSERT INTO trips VALUES (7, 7, 'x', 7)")
			}
			f := file{mode: events.Upsert, key: c.key, columns: names, rows: c.rows}
			if name == "twice, and nothing but a key" {
				f.columns = key
			}
			w.refused(f, events.CodeKeyUnusable, c.says)
			if c.make == "" {
				w.wantTables()
			} else {
				w.wantTable("trips", "(7,7,x,7)")
			}
		})
	}
}

// What is the same is for the table's types to say.
func TestKeysOfOddTypes(t *testing.T) {
	w := newWorld(t)
	w.exec(`CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		CREATE TABLE trips (name text COLLATE anycase PRIMARY KEY, n text); INSERT INTO trips VALUES ('Bonn', '1')`)
	f := file{mode: events.Upsert, key: []string{"name"}, columns: []string{"name", "n"}, rows: []string{"BONN|2", "bonn|3"}}
	w.refused(f, events.CodeKeyUnusable, "the same key: (name)")
	f.rows = f.rows[:1]
	w.loaded(f)
	w.wantTable("trips", "(Bonn,2)") // the key is the one that was there
}

// A row that a session has changed and not committed is waited for, but not for long.
func TestUpsertOfARowInUse(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.exec("CREATE TABLE trips (id int PRIMARY KEY, n int); INSERT INTO trips VALUES (1, 1), (2, 2)")
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "UPDATE trips SET n = 10 WHERE id = 1")
	w.must(err)
	f := file{mode: events.Upsert, key: []string{"id"}, columns: []string{"id", "n"}, rows: []string{"2|5", "1|5"}}
	w.refused(f, events.CodeTableBusy)
	w.must(tx.Commit(ctx))
	w.wantTable("trips", "(1,10)", "(2,2)")
	w.loaded(f)
	w.wantTable("trips", "(1,5)", "(2,5)")
}

// Of a deadlock with a session the job is content to be the one that gives way, if Postgres says so.
func TestDeadlockIsNoFailure(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.exec("CREATE TABLE trips (id int PRIMARY KEY, n int); INSERT INTO trips VALUES (1, 1), (2, 2)")
	db := w.worker(w.url + " options='-c deadlock_timeout=100ms'")
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "SET LOCAL deadlock_timeout = '60s'; UPDATE trips SET n = 10 WHERE id = 1")
	w.must(err)
	f := file{mode: events.Upsert, key: []string{"id"}, columns: []string{"id", "n"}, rows: []string{"2|5", "1|5"}}
	ended := make(chan error, 1)
	go func() {
		_, err := f.loadBy(ctx, db)
		ended <- err
	}()
	w.waitUntilBlocked("ON CONFLICT")
	_, err = tx.Exec(ctx, "UPDATE trips SET n = 10 WHERE id = 2")
	w.must(err)
	w.must(tx.Commit(ctx))
	wantFailure(t, <-ended, events.CodeTableBusy)
	w.wantTable("trips", "(1,10)", "(2,10)")
}
