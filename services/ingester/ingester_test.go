package ingester_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// env is a queue, a database and a worker that is not running yet.
type env struct {
	nats *testenv.NATS
	bus  *bus.Bus
	url  string // of the database
	db   *postgres.Database
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{nats: testenv.StartNATS(t), url: testenv.Database(t)}
	e.bus = e.nats.Bus("ingester")
	db, err := postgres.Connect(t.Context(), e.url, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.db = db
	return e
}

func TestLoadsAFile(t *testing.T) {
	e := newEnv(t)
	ctx := testenv.Context(t)
	files := testenv.Files(t, map[string]string{"/trips.csv": "id,name\n1,a\n2,\"b\"\"x\"\n3,\n"})
	web, err := source.NewHTTP(func() source.Config { c := source.DefaultConfig(); c.Allow = []string{"127.0.0.0/8"}; return c }())
	if err != nil {
		t.Fatal(err)
	}
	config := ingester.DefaultConfig("w1")
	config.Log = testenv.Log(t)
	s, err := ingester.New(config, ingester.Parts{Bus: e.bus, Database: e.db, Source: web})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Run(ctx) }()
	id := uuid.NewString()
	job := events.NewJob(id, 1, events.Spec{Source: events.Source{URL: files + "/trips.csv"}, Schema: "public", Mode: events.Create, Priority: events.Normal, CreatedAt: time.Now()})
	if _, err := e.bus.Jobs.Publish(ctx, job); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "succeeded", func() error {
		ev, _, ok, err := e.bus.Events.Last(ctx, id, events.TypeSucceeded)
		if err == nil && ok {
			t.Logf("%+v", ev)
			return nil
		}
		return fmt.Errorf("not yet %v", err)
	})
	conn, err := pgx.Connect(ctx, e.url)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, "select tablename from pg_tables where schemaname='public'")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	t.Log(names, err)
}
