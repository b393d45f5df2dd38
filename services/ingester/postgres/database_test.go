package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func (w *world) wantFenceLost(step string, err error) {
	w.Helper()
	if !errors.Is(err, postgres.ErrFenceLost) {
		w.Errorf("%s: %v, want ErrFenceLost", step, err)
	}
}

func TestMigrateTakesTurns(t *testing.T) {
	t.Parallel()
	url := testenv.Database(t)
	ctx := testenv.Context(t)
	const processes = 5
	ends := make(chan error, processes)
	for range processes {
		db, err := postgres.Connect(ctx, url, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		go func() { ends <- errors.Join(db.Migrate(ctx), db.Migrate(ctx)) }()
	}
	for range processes {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	worldIn(t, url).wantList("migrations", []string{"0", "1", "2", "3", "4", "5", "6", "7", "8"}, "SELECT version_id::text FROM sluice.migrations ORDER BY 1")
}

func TestMigrateKeepsWhatItMeets(t *testing.T) {
	w := newWorld(t)
	w.exec("CREATE TABLE goose_db_version (value text); INSERT INTO goose_db_version VALUES ('another''s'); CREATE TABLE loads ()")
	w.publish(w.prepared(w.db), batch(0, 10, "a"))
	before := w.ledger()
	w.must(w.db.Migrate(testenv.Context(t)))
	if after := w.ledger(); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("changed from\n%q to\n%q", before, after)
	}
	w.wantRows("goose_db_version", "another's")
}

// The role is called like the schema, and means its own tables all the same when it names none.
func TestMigrateHidesItsSchema(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	conn, err := pgx.Connect(ctx, w.url)
	w.must(err)
	defer func() { _ = conn.Close(ctx) }()
	var user, where string
	w.must(conn.QueryRow(ctx, "SELECT current_user, current_schema()").Scan(&user, &where))
	if user != "sluice" || where != "public" {
		t.Errorf("what %s makes comes into schema %s", user, where)
	}
}

// Where roles may not create schemas, someone makes schema sluice for the ingester.
func TestMigrateUsesASchemaThatWasMadeForIt(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	w.exec("DROP SCHEMA sluice CASCADE; CREATE SCHEMA sluice AUTHORIZATION " + role + "; GRANT ALL ON SCHEMA public TO " + role)
	db := w.worker(w.url + " role=" + role)
	w.must(db.Migrate(testenv.Context(t)))
	w.publish(w.prepared(db), batch(0, 10, "a"))
	w.wantRows(w.name, "a")
}

// Only batches may be forgotten in a crash of the server, whatever its defaults are.
func TestWhatIsDecidedIsDurable(t *testing.T) {
	for _, standard := range []string{"on", "off"} {
		t.Run("default "+standard, func(t *testing.T) {
			t.Parallel()
			url := testenv.Database(t)
			setDefault(t, url, "synchronous_commit", standard)
			w := worldIn(t, url)
			w.exec(`CREATE TABLE seen (n serial, value text)`)
			w.exec(`CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				INSERT INTO public.seen (value) VALUES (TG_TABLE_NAME || ' ' || coalesce(to_jsonb(NEW)->>'state', to_jsonb(NEW)->>'batch')
					|| ' ' || current_setting('synchronous_commit')); RETURN NULL; END $$`)
			w.exec(strings.ReplaceAll(strings.ReplaceAll(`CREATE TRIGGER see AFTER INSERT OR UPDATE ON sluice.loads FOR EACH ROW EXECUTE FUNCTION see_();
				CREATE TRIGGER see AFTER INSERT ON sluice.batches FOR EACH ROW EXECUTE FUNCTION see_()`, "see_()", "public.see()"), "\t", " "))
			first := w.open(w.db, 1)
			_, err := first.Fail(testenv.Context(t), *events.Failf(events.CodeNotCSV, "no"), events.Figures{}, time.Now())
			w.must(err)
			load := w.open(w.db, 2)
			w.must(load.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
			w.commit(load, batch(0, 10, "a"))
			w.publish(load, batch(10, 20, "b"))
			w.wantList("commits", []string{
				"loads loading on", "loads failed on", "loads loading on", "loads loading off", // by Prepare
				"batches 1 off", "batches 2 on", "loads committed on",
			}, "SELECT value FROM seen ORDER BY n")
		})
	}
}

// A database need not be in UTF-8; what it cannot hold is refused, and nothing arrives as something else.
func TestValuesArriveInOtherEncodings(t *testing.T) {
	w := newWorld(t)
	config, err := pgx.ParseConfig(w.url)
	w.must(err)
	name := config.Database + "_latin1"
	w.exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if raw, err := pgxpool.New(ctx, w.url); err == nil {
			_, _ = raw.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			raw.Close()
		}
	})
	latin1 := worldIn(t, strings.Replace(w.url, "dbname="+config.Database, "dbname="+name, 1))
	load := latin1.prepared(latin1.db)
	latin1.commit(load, batch(0, 10, "é"))
	wantFailure(t, load.Commit(testenv.Context(t), batch(10, 20, "漢")), events.CodeDatabaseError)
	latin1.publish(load, batch(10, 10))
	latin1.wantList("rows", []string{`\xe9`}, "SELECT convert_to(value, 'LATIN1')::text FROM trips")
}
