package postgres_test

import (
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// datasetsQuery tells of each dataset its mode, whether Sluice made it, and the rows.
const datasetsQuery = `SELECT concat_ws(' ', schema_name, table_name, mode, made, rows) FROM sluice.standing_datasets ORDER BY 1`

// as loads rows by a new job into table trips.
func (w *world) as(mode events.Mode, rows ...string) string {
	w.Helper()
	f := file{mode: mode, columns: []string{"id"}, rows: rows}
	if mode == events.Upsert {
		f.key = []string{"id"}
	}
	w.loaded(f)
	return w.list("SELECT job_id::text FROM sluice.loads ORDER BY committed_at DESC LIMIT 1")[0]
}

func TestDatasetsKnowWhoMadeThem(t *testing.T) {
	for name, tt := range map[string]struct {
		steps func(w *world)
		want  string
	}{
		"created":                  {func(w *world) { w.as(events.Create, "1", "2") }, "public trips create t 2"},
		"made by the first append": {func(w *world) { w.as(events.Append, "1") }, "public trips append t 1"},
		"made by the first upsert": {func(w *world) { w.as(events.Upsert, "1") }, "public trips upsert t 1"},
		"made by a replacement":    {func(w *world) { w.as(events.Replace, "1") }, "public trips replace t 1"},
		"created, appended":        {func(w *world) { w.as(events.Create, "1"); w.as(events.Append, "2") }, "public trips append t"},
		"created, replaced twice": {func(w *world) {
			w.as(events.Create, "1")
			w.as(events.Replace, "2")
			w.as(events.Replace, "3")
		}, "public trips replace t 1"},
		"another's, appended": {func(w *world) { w.exec("CREATE TABLE trips (id text)"); w.as(events.Append, "2") }, "public trips append f"},
		"another's, replaced": {func(w *world) {
			w.exec("CREATE TABLE trips (id text)")
			w.as(events.Replace, "2")
			w.as(events.Append, "2")
		}, "public trips append f"},
		"remade by another, replaced": {func(w *world) {
			w.as(events.Create, "1")
			w.exec("DROP TABLE trips; CREATE TABLE trips (id text)")
			w.as(events.Replace, "2")
		}, "public trips replace f 1"},
		"restored, replaced": {func(w *world) {
			w.as(events.Create, "1")
			w.restored()
			w.as(events.Replace, "2")
		}, "public trips replace t 1"},
		"another's, made anew by Sluice": {func(w *world) {
			w.exec("CREATE TABLE trips (id text)")
			w.as(events.Append, "1")
			w.exec("DROP TABLE trips")
			w.as(events.Create, "1", "2")
		}, "public trips create t 2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.steps(w)
			w.wantList("datasets", []string{tt.want}, datasetsQuery)
			last := w.list("SELECT job_id::text FROM sluice.loads ORDER BY committed_at DESC LIMIT 1")
			w.wantList("job", last, "SELECT job_id::text FROM sluice.datasets")
		})
	}
}

// restored makes the ledger what it is after a restore from a dump: of tables with other OIDs.
func (w *world) restored() {
	w.Helper()
	w.exec("UPDATE sluice.datasets SET ledger_oid = 1, table_oid = 1")
}

func TestADatasetIsItsTable(t *testing.T) {
	w := newWorld(t)
	w.as(events.Create, "1")
	made := []string{"public trips create t 1"}
	w.restored()
	w.wantList("restored", made, datasetsQuery)
	w.must(w.db.Migrate(testenv.Context(t)))
	w.wantList("adopted", made, datasetsQuery)
	w.exec("ALTER TABLE trips RENAME TO renamed")
	w.wantList("renamed", nil, datasetsQuery)
	w.exec("ALTER TABLE renamed RENAME TO trips")
	w.wantList("renamed back", made, datasetsQuery)
	w.exec("DROP TABLE trips; CREATE TABLE trips (id text)")
	w.wantList("another's", nil, datasetsQuery)
	w.exec("DROP TABLE trips; CREATE VIEW trips AS SELECT 1")
	w.restored()
	w.wantList("a view", nil, datasetsQuery)
}

func TestFailedJobsMakeNoDataset(t *testing.T) {
	w := newWorld(t)
	w.exec("CREATE TABLE trips (id text)")
	ctx := testenv.Context(t)
	_, err := file{mode: events.Create, columns: []string{"id"}, rows: []string{"1"}}.loadBy(ctx, w.db)
	wantFailure(t, err, events.CodeTableExists)
	w.wantList("datasets", nil, "SELECT table_name FROM sluice.datasets")
}

func TestDatasetsOutliveTheLedgerAndNotTheirTable(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.as(events.Create, "1")
	w.exec("DELETE FROM sluice.loads; DELETE FROM sluice.batches")
	w.must(w.db.ForgetDatasets(ctx, 0))
	w.wantList("datasets", []string{"public trips create t 1"}, datasetsQuery)
	w.exec("DROP TABLE trips")
	w.must(w.db.ForgetDatasets(ctx, time.Hour))
	w.wantList("known still", []string{"trips"}, "SELECT table_name FROM sluice.datasets")
	w.exec("UPDATE sluice.datasets SET ledger_oid = 1")
	w.must(w.db.ForgetDatasets(ctx, 0))
	w.wantList("to be restored", []string{"trips"}, "SELECT table_name FROM sluice.datasets")
	w.exec("UPDATE sluice.datasets SET ledger_oid = tableoid")
	w.must(w.db.ForgetDatasets(ctx, 0))
	w.wantList("forgotten", nil, "SELECT table_name FROM sluice.datasets")
}

// Tables that were loaded before datasets were kept are found in the ledger.
func TestDatasetsOfEarlierVersions(t *testing.T) {
	w := newWorld(t)
	job := w.as(events.Create, "1", "2")
	for _, other := range []struct {
		table string
		mode  events.Mode
		sql   string // before it is loaded
	}{
		{"appended", events.Append, ""}, {"others", events.Append, "CREATE TABLE others (id text)"},
		{"replaced", events.Replace, ""}, {"gone", events.Create, ""}, {"remade", events.Create, ""},
	} {
		w.exec(other.sql)
		w.loaded(file{mode: other.mode, table: other.table, columns: []string{"id"}, rows: []string{"1"}})
	}
	w.exec("DROP TABLE gone, remade; CREATE TABLE remade ()")
	w.exec(`UPDATE sluice.loads SET spec = jsonb_set(spec::jsonb, '{source,url}', '"http://x/a.csv"')`)
	w.exec(`DROP FUNCTION sluice.show; DROP VIEW sluice.standing_datasets; DROP TABLE sluice.datasets;
		DELETE FROM sluice.migrations WHERE version_id = 8`)
	w.must(w.db.Migrate(testenv.Context(t)))
	w.wantList("datasets", []string{
		"public appended append t 1", "public others append f", "public replaced replace f 1", "public trips create t 2",
	}, datasetsQuery)
	w.wantList("job and source", []string{job + " http://x/a.csv"},
		"SELECT job_id || ' ' || source FROM sluice.datasets WHERE table_name = 'trips'")
}
