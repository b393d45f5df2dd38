package postgres_test

import (
	"testing"
	"time"

	"sluice/internal/testenv"
)

// TestLedgerOfManyJobs holds that what is done now and then stays cheap in a ledger of 100,000 jobs, each with a dataset.
func TestLedgerOfManyJobs(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.exec("CREATE TABLE trips (value text)")
	w.exec(`INSERT INTO sluice.loads (job_id, run, attempt, fence, state, schema_name, table_name, opened_at, ended_at)
		SELECT gen_random_uuid(), 1, 1, 1, 'committed', 'public', 'trips', now() - n * interval '1 minute', now() - n * interval '1 minute'
		FROM generate_series(1, 100000) AS n`)
	w.exec("ANALYZE sluice.loads")
	w.open(w.db, 1)
	w.exec("CREATE TABLE sluice_staging_00000000000000000000000000000001 (value text)")
	for name, query := range map[string]func() (int, error){
		"unfinished": func() (int, error) { list, err := w.db.Unfinished(ctx, "", 500); return len(list), err },
		"leftovers":  func() (int, error) { list, err := w.db.Leftovers(ctx); return len(list), err },
		"expired":    func() (int, error) { list, err := w.db.Expired(ctx, keep, 1000); return len(list) + 1, err },
		"ended":      func() (int, error) { list, err := w.db.Ended(ctx, keep, "", 1); return len(list), err },
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
