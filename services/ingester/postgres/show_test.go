package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

const shownQuery = `SELECT table_name FROM sluice.standing_datasets
	WHERE has_table_privilege('` + postgres.ReaderRole + `', oid, 'SELECT') ORDER BY 1`

// A table that somebody holds on to keeps the API from no other, and is shown once it is free.
func TestTablesAreShownOneByOne(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	for _, table := range []string{"a", "b", "c"} {
		w.loaded(file{mode: events.Create, table: table, columns: []string{"id"}, rows: []string{"1"}})
	}
	w.must(w.db.MakeReader(ctx, postgres.ReaderLogin{}))
	w.exec("REVOKE SELECT ON a, b, c FROM " + postgres.ReaderRole)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	_, err = tx.Exec(ctx, "ALTER TABLE b ADD COLUMN x int")
	w.must(err)
	patience, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	w.must(w.db.MakeReader(patience, postgres.ReaderLogin{}))
	hidden, err := w.db.ShowDatasets(patience)
	w.must(err)
	if !slices.Equal(hidden, []string{"public.b"}) {
		t.Errorf("hidden are %q", hidden)
	}
	w.wantList("shown", []string{"a", "c"}, shownQuery)
	w.must(tx.Commit(ctx))
	hidden, err = w.db.ShowDatasets(ctx)
	w.must(err)
	if len(hidden) > 0 {
		t.Errorf("hidden are %q", hidden)
	}
	w.wantList("shown", []string{"a", "b", "c"}, shownQuery)
}

// What this role may not show it does not try to, and without the role of the API there is nobody to show it to.
func TestWhatCannotBeShownIsNotTold(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.must(w.db.MakeReader(ctx, postgres.ReaderLogin{}))
	role := "shower_" + hex(w.job)
	w.exec("CREATE ROLE " + role + "; CREATE TABLE trips (id text)")
	defer w.exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
	w.as(events.Append, "1")
	w.exec("REVOKE SELECT ON trips FROM " + postgres.ReaderRole + "; GRANT USAGE ON SCHEMA sluice TO " + role +
		"; GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO " + role)
	hidden, err := w.worker(w.url + " role=" + role).ShowDatasets(ctx)
	w.must(err)
	if len(hidden) > 0 {
		t.Errorf("hidden are %q", hidden)
	}
	w.wantList("shown", nil, shownQuery)
}
