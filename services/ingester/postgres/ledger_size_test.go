package postgres_test

import (
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/services/ingester/postgres"
)

// TestLedgerOfManyJobs holds that what is done now and then stays cheap in a ledger of 100,000 jobs, each with a dataset.
func TestLedgerOfManyJobs(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.exec("CREATE TABLE trips (value text)")
	w.exec(`INSERT INTO sluice.loads (job_id, run, attempt, fence, state, schema_name, table_name, opened_at, ended_at, source_key, committed_at,
		made_table, result) SELECT gen_random_uuid(), 1, 1, 1, 'committed', 'public', 'trips', at, at, 'key', at, false, '{}'
		FROM generate_series(1, 100000) AS n, LATERAL (SELECT now() - n * interval '1 minute' AS at) AS ended`)
	w.exec("ANALYZE sluice.loads")
	load := w.open(w.db, 1)
	w.exec("CREATE TABLE sluice_staging_00000000000000000000000000000001 (value text)")
	looks := 0
	for name, query := range map[string]func() (int, error){
		"unfinished": func() (int, error) { list, err := w.db.Unfinished(ctx, "", 500); return len(list), err },
		"leftovers":  func() (int, error) { list, err := w.db.Leftovers(ctx); return len(list), err },
		"expired":    func() (int, error) { list, err := w.db.Expired(ctx, keep, 1000); return len(list) + 1, err },
		"ended":      func() (int, error) { list, err := w.db.Ended(ctx, keep, "", 1); return len(list), err },
		"baseline": func() (int, error) { // after a restore, when the later runs of its table are to be found
			p := w.publication()
			p.SourceKey = "key"
			_, err := load.Unchanged(ctx, p, func(postgres.Baseline) bool { looks++; return false })
			return looks, err
		},
	} {
		begun := time.Now()
		found, err := query()
		if took := time.Since(begun); err != nil || found != 1 || took > 5*time.Second {
			t.Errorf("%s: %d in %s (%v)", name, found, took, err)
		} else {
			t.Logf("%s: %s", name, took)
		}
	}
}

// TestManyUnchanged holds the same for jobs that all have found their source unchanged, of which each may be the latest.
func TestManyUnchanged(t *testing.T) {
	w := newWorld(t)
	w.exec("CREATE TABLE trips (value text)")
	w.exec(`INSERT INTO sluice.loads (job_id, run, attempt, fence, state, schema_name, table_name, opened_at, ended_at, source_key, committed_at,
		unchanged_since) SELECT gen_random_uuid(), 1, 1, 1, 'committed', 'public', 'trips', at, at, n % 50000, at, gen_random_uuid()
		FROM generate_series(1, 100000) AS n, LATERAL (SELECT now() - interval '40 days' - n * interval '1 minute' AS at) AS ended`)
	w.exec("ANALYZE sluice.loads")
	begun := time.Now()
	list, err := w.db.Expired(testenv.Context(t), keep, 100_000)
	if took := time.Since(begun); err != nil || len(list) != 50_000 || took > 5*time.Second {
		t.Errorf("%d in %s (%v)", len(list), took, err)
	} else {
		t.Logf("%s", took)
	}
}
