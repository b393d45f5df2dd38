package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// asReader connects as the role that the API has.
func (w *world) asReader(url string) *pgx.Conn {
	w.Helper()
	ctx := testenv.Context(w)
	conn, err := pgx.Connect(ctx, url)
	w.must(err)
	w.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	return conn
}

func TestReaderReadsDatasetsAndNothingElse(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.exec("CREATE TABLE secret (id text); CREATE SCHEMA side; CREATE TABLE side.secret (id text)")
	w.as(events.Create, "1") // before there is the role in this database
	w.must(w.db.MakeReader(ctx, postgres.ReaderLogin{Trusted: true}))
	w.must(w.db.MakeReader(ctx, postgres.ReaderLogin{Trusted: true}))
	hidden, err := w.db.ShowDatasets(ctx)
	w.must(err)
	if len(hidden) > 0 {
		t.Errorf("hidden are %q", hidden)
	}
	w.loaded(file{mode: events.Create, table: "later", columns: []string{"id"}, rows: []string{"1"}})
	w.loaded(file{mode: events.Create, schema: "side", table: "x\"y", columns: []string{"id"}, rows: []string{"1"}})
	w.exec("CREATE TABLE appended (id text)")
	w.loaded(file{mode: events.Append, table: "appended", columns: []string{"id"}, rows: []string{"1"}})
	w.loaded(file{mode: events.Replace, table: "later", columns: []string{"id"}, rows: []string{"1"}})
	conn := w.asReader(w.url + " user=" + postgres.ReaderRole)
	for _, sql := range []string{
		"SELECT id FROM public.trips", "SELECT id FROM public.later", `SELECT id FROM side."x""y"`, "SELECT id FROM public.appended",
		"SELECT table_name FROM sluice.standing_datasets", "SELECT count(*) = 0 FROM sluice.rejects",
		"BEGIN; LOCK TABLE public.trips IN ACCESS SHARE MODE; COMMIT",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{
		"SELECT FROM public.secret", "SELECT FROM side.secret", "SELECT FROM sluice.loads", "SELECT FROM sluice.batches",
		"SELECT FROM sluice.datasets", "SELECT FROM sluice.migrations", "SELECT FROM pg_authid",
		"INSERT INTO public.trips VALUES ('2')", "UPDATE public.trips SET id = '2'", "DELETE FROM public.trips",
		"TRUNCATE public.trips", "DROP TABLE public.trips", "ALTER TABLE public.trips ADD COLUMN x int",
		"DELETE FROM sluice.rejects", "UPDATE sluice.standing_datasets SET made = true", "CREATE TABLE public.mine ()",
		"CREATE TABLE sluice.mine ()", "CREATE SCHEMA mine", "CREATE ROLE mine", "SET ROLE " + w.list("SELECT current_user::text")[0],
		"COPY public.trips TO PROGRAM 'true'", "SELECT pg_read_file('PG_VERSION')", "SELECT lo_import('/etc/passwd')",
	} {
		_, err := conn.Exec(ctx, sql)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" && pg.Code != "55000" {
			t.Errorf("%s: %v, want it forbidden", sql, err)
		}
	}
}

// A table of another owner is loaded although the API cannot be let in.
func TestWhatCannotBeShownIsLoaded(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.must(w.db.MakeReader(ctx, postgres.ReaderLogin{}))
	role := "loader_" + hex(w.job)
	w.exec("CREATE ROLE " + role + "; CREATE SCHEMA side; CREATE TABLE side.trips (id text)")
	defer w.exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
	w.exec("GRANT USAGE ON SCHEMA sluice TO " + role + "; GRANT USAGE, CREATE ON SCHEMA side TO " + role +
		"; GRANT ALL ON ALL TABLES IN SCHEMA sluice TO " + role + "; GRANT SELECT, INSERT ON side.trips TO " + role)
	db := w.worker(w.url + " role=" + role)
	_, err := file{mode: events.Append, schema: "side", columns: []string{"id"}, rows: []string{"1"}}.loadBy(ctx, db)
	w.must(err)
	w.wantList("shown", []string{"false"}, "SELECT has_table_privilege($1, 'side.trips', 'SELECT')::text", postgres.ReaderRole)
	w.wantList("datasets", []string{"side trips append f"}, datasetsQuery)
	wantFailure(t, db.MakeReader(ctx, postgres.ReaderLogin{Password: "x"}), events.CodeNotPermitted)
}

func TestReaderLogsInWithItsPassword(t *testing.T) {
	w := newWorld(t)
	const password = `pa'ss\word"%`
	w.must(postgres.CheckReaderPassword(password))
	// Not the role's own, which tests beside this one change too.
	verifier, err := postgres.ScramVerifier(password)
	w.must(err)
	role := "login_" + hex(w.job)
	w.exec("CREATE ROLE " + role + " LOGIN PASSWORD '" + verifier + "'")
	defer w.exec("DROP ROLE " + role)
	w.wantList("kept as it was sent", []string{verifier}, "SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
	port := w.list("SELECT setting FROM pg_settings WHERE name = 'port'")[0]
	config, err := pgx.ParseConfig("host=127.0.0.1 sslmode=disable port=" + port + " user=" + role)
	w.must(err)
	config.Database = w.list("SELECT current_database()::text")[0]
	for tried, want := range map[string]string{password: "", "other": "28P01", "": "28P01"} {
		config.Password = tried
		conn, err := pgx.ConnectConfig(testenv.Context(t), config)
		if err == nil {
			w.must(conn.Close(testenv.Context(t)))
		}
		pg, refused := errors.AsType[*pgconn.PgError](err)
		if refused != (want != "") || refused && pg.Code != want || err != nil && !refused {
			t.Errorf("with %q: %v, want %q", tried, err, want)
		}
	}
	for _, bad := range []string{"a b", "ä", "\n"} {
		if err := postgres.CheckReaderPassword(bad); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
