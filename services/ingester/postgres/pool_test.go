package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/services/ingester/postgres"
)

// TestEndedBackendsAreNoOutage ends every backend of a pool while its connections are idle, as a restart of the server
// does, and holds that the next use finds the database all the same.
func TestEndedBackendsAreNoOutage(t *testing.T) {
	t.Parallel()
	ctx, url := testenv.Context(t), testenv.Database(t)
	db, err := postgres.Connect(ctx, url, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(ctx) })
	for range 5 {
		if _, err := admin.Exec(ctx, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Outcome(ctx, "01a1ff8e-7160-7994-90cf-204ee61cbd5a", 1); err != nil {
			t.Errorf("it looks like an outage: %v", err)
		}
	}
}
