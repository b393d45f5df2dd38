package postgres_test

import (
	"context"

	"sluice/internal/testenv"
	"sluice/services/ingester/postgres"
)

// writer is a copier whose blocks take ten bytes each of a source.
type writer struct {
	*world
	*postgres.Copier
	end int64
}

func (w *world) writer(ctx context.Context, load *postgres.Load, config postgres.CopierConfig) *writer {
	w.Helper()
	c := &writer{world: w, Copier: load.Copier(ctx, config)}
	w.Cleanup(c.Close)
	return c
}

// write adds a block.
func (c *writer) write(values ...string) error {
	rows := make([][][]byte, len(values))
	for i, v := range values {
		rows[i] = [][]byte{[]byte(v)}
	}
	c.end += 10
	return c.Write(block(c.end/10, c.end, rows...))
}

// batch adds a batch of one block.
func (c *writer) batch(values ...string) {
	c.Helper()
	c.must(c.write(values...))
	c.Cut()
}

func (c *writer) publish() (*postgres.Outcome, error) { return c.Publish(c.end, c.publication) }

func (c *writer) wantPublished(rows int64) {
	c.Helper()
	outcome, err := c.publish()
	c.must(err)
	if outcome.Result.Rows != rows {
		c.Errorf("%d rows are published, want %d", outcome.Result.Rows, rows)
	}
}

// gates makes the staging table hold a row "held n" back until gate n is opened, and refuse a row "refused".
func (w *world) gates() {
	w.Helper()
	w.exec(`CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.value LIKE 'held %' THEN PERFORM pg_advisory_xact_lock_shared(substr(NEW.value, 6)::int); END IF;
		IF NEW.value = 'refused' THEN RAISE EXCEPTION 'not this one'; END IF;
		RETURN NEW; END $$`)
	w.exec("CREATE TRIGGER gate BEFORE INSERT ON " + w.staging() + " FOR EACH ROW EXECUTE FUNCTION gate()")
}

// shut shuts a gate.
func (w *world) shut(gate int) (open func()) {
	w.Helper()
	ctx := testenv.Context(w)
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", gate)
	w.must(err)
	open = func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }
	w.Cleanup(open)
	return open
}

// awaitHeld waits until n batches stand at gates.
func (w *world) awaitHeld(n int) {
	w.Helper()
	w.waitFor("batches are held", `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
		AND query LIKE 'COPY %' HAVING count(*) = $1`, n)
}

// awaitNoBackends waits until no transaction of the job is left.
func (w *world) awaitNoBackends() {
	w.Helper()
	w.waitFor("all backends have ended", `SELECT FROM pg_stat_activity WHERE application_name LIKE 'sluice/' || $1 || '/%'
		HAVING count(*) = 0`, w.job)
}

// batchesAre checks which batches are committed, as start-end:rows.
func (w *world) batchesAre(want ...string) {
	w.Helper()
	w.wantList("batches", want, "SELECT start_offset || '-' || end_offset || ':' || rows FROM sluice.batches ORDER BY start_offset")
}
