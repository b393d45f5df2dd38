package postgres_test

import (
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// Rights that the end would need are missed at the beginning.
func TestMissingRightsAreMetEarly(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	role, owner := "loader_"+hex(w.job), "owner_"+hex(w.job)
	w.exec("CREATE ROLE " + owner + "; CREATE ROLE " + role + " IN ROLE " + owner)
	defer w.exec("DROP OWNED BY " + role + ", " + owner + "; DROP ROLE " + role + ", " + owner)
	w.exec("GRANT ALL ON SCHEMA sluice, public TO " + role + "; GRANT ALL ON ALL TABLES IN SCHEMA sluice TO " + role)
	w.exec("CREATE TABLE trips (id text PRIMARY KEY); GRANT SELECT (id), INSERT (id), UPDATE (id) ON trips TO " + role)
	db := w.worker(w.url + " role=" + role)
	refused := func(f file) {
		load, err := f.opened(ctx, db)
		w.must(err)
		wantFailure(t, load.Prepare(ctx, postgres.File{Columns: columns("id")}), events.CodeNotPermitted)
	}
	for _, f := range adding([]string{"id"}, "1") { // a table is locked by right to the table
		refused(f)
	}
	w.exec("GRANT INSERT ON trips TO " + role)
	for _, f := range adding([]string{"id"}, "1") {
		_, err := f.loadBy(ctx, db)
		w.must(err)
		w.exec("TRUNCATE trips")
	}
	w.exec("ALTER TABLE trips OWNER TO " + owner)
	f := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"2"}}
	refused(f) // the owner could not have made the new one
	w.loaded(f)
	w.exec("GRANT CREATE ON SCHEMA public TO " + owner)
	_, err := f.loadBy(ctx, db)
	w.must(err)
	w.wantList("owners", []string{owner}, "SELECT tableowner FROM pg_tables WHERE tablename = 'trips'")
}
