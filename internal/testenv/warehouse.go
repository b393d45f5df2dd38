package testenv

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Warehouse is a database with schema sluice, as the migrations make it, and the role that the API reads by, for those who may
// not import what loads into it.
type Warehouse struct {
	URL       string // of the role that owns everything
	ReaderURL string
	Pool      *pgxpool.Pool // of URL
	t         testing.TB
}

// NewWarehouse makes one.
func NewWarehouse(t testing.TB) *Warehouse {
	t.Helper()
	w := &Warehouse{URL: Database(t), t: t}
	w.ReaderURL = w.URL + " user=sluice_reader"
	var err error
	if w.Pool, err = pgxpool.New(Context(t), w.URL+" search_path=public"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Pool.Close)
	w.Exec("CREATE SCHEMA sluice")
	_, here, _, _ := runtime.Caller(0)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../../services/ingester/postgres/migrations/*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the migrations are not found (%v)", err)
	}
	slices.Sort(files)
	for _, file := range files {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(sql), "-- +goose Down")
		w.Exec(up)
	}
	w.Exec(`DO $$ BEGIN CREATE ROLE sluice_reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`)
	w.Exec("ALTER ROLE sluice_reader LOGIN")
	w.Exec("GRANT USAGE ON SCHEMA sluice TO sluice_reader; GRANT SELECT ON sluice.standing_datasets, sluice.rejects TO sluice_reader")
	return w
}

// Exec executes statements. Those on the role, which all databases share, are tried again while others execute them, too.
func (w *Warehouse) Exec(sql string) {
	w.t.Helper()
	ctx := Context(w.t)
	Eventually(ctx, w.t, "the statement is executed", func() error {
		_, err := w.Pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		if err != nil && !strings.Contains(err.Error(), "tuple concurrently updated") {
			w.t.Fatalf("%s: %v", sql, err)
		}
		return err
	})
}

// Dataset makes a table known as loaded, made by Sluice with so many rows, and returns the id of the job.
func (w *Warehouse) Dataset(schema, table string, rows int64) string {
	w.t.Helper()
	job := uuid.NewString()
	_, err := w.Pool.Exec(Context(w.t), `
		INSERT INTO sluice.datasets
		SELECT $1::text, $2::text, c.oid, 'sluice.datasets'::regclass, $3, 'http://files/a.csv', 'create', true, $4, now()
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1::name AND relname = $2::name`, schema, table, job, rows)
	if err == nil {
		_, err = w.Pool.Exec(Context(w.t), "SELECT sluice.show($1, $2)", schema, table)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return job
}
