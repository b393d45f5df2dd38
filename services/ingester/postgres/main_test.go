package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// world is a database with a ledger, one job, and a view on everything that does not go through the package.
type world struct {
	*testing.T
	url  string
	db   *postgres.Database
	raw  *pgxpool.Pool
	job  string
	name string // of the job's dataset
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return worldIn(t, testenv.Database(t))
}

func worldIn(t *testing.T, url string) *world {
	t.Helper()
	w := &world{T: t, url: url, job: uuid.NewString(), name: "trips"}
	raw, err := pgxpool.New(testenv.Context(t), url+" search_path=public") // not the schema of the user's name
	w.must(err)
	t.Cleanup(raw.Close)
	w.raw = raw
	w.db = w.worker(url)
	w.must(w.db.Migrate(testenv.Context(t)))
	return w
}

// worker connects as another process would.
func (w *world) worker(url string) *postgres.Database {
	w.Helper()
	db, err := postgres.Connect(testenv.Context(w), url, 4)
	w.must(err)
	w.Cleanup(db.Close)
	return db
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) claim(run int) postgres.Claim {
	return postgres.Claim{JobID: w.job, Run: run, Attempt: 1, Spec: events.Spec{Schema: "public"}}
}

// open opens a run that has not ended.
func (w *world) open(db *postgres.Database, run int) *postgres.Load {
	w.Helper()
	load, outcome, err := db.Open(testenv.Context(w), w.claim(run))
	w.must(err)
	if load == nil {
		w.Fatalf("run %d has ended: %+v", run, outcome)
	}
	return load
}

// prepared opens the job's first run and makes a staging table with one column.
func (w *world) prepared(db *postgres.Database) *postgres.Load {
	w.Helper()
	load := w.open(db, 1)
	w.must(load.Prepare(testenv.Context(w), postgres.File{
		Columns: columns("value"), Dialect: events.Dialect{Encoding: "utf-8", Delimiter: ","},
	}))
	return load
}

func (w *world) commit(load *postgres.Load, b *postgres.Batch) {
	w.Helper()
	w.must(load.Commit(testenv.Context(w), b))
}

func (w *world) publication() postgres.Publication {
	return postgres.Publication{
		Table: w.name, At: time.Now(), Figures: events.Figures{Phase: events.PhaseDone, Bytes: 10},
		Result: events.Result{Outcome: "loaded", Bytes: 10, Columns: columns("value"), Checksum: "sha256:00"},
	}
}

func (w *world) publish(load *postgres.Load, last *postgres.Batch) *postgres.Outcome {
	w.Helper()
	outcome, err := load.Publish(testenv.Context(w), last, w.publication())
	w.must(err)
	return outcome
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	_, err := w.raw.Exec(testenv.Context(w), sql, args...)
	w.must(err)
}

// list returns the first column of a query's rows.
func (w *world) list(sql string, args ...any) []string {
	w.Helper()
	rows, err := w.raw.Query(testenv.Context(w), sql, args...)
	w.must(err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.must(err)
	return list
}

func (w *world) wantList(what string, want []string, sql string, args ...any) {
	w.Helper()
	if got := w.list(sql, args...); !slices.Equal(got, want) {
		w.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (w *world) wantTables(want ...string) {
	w.Helper()
	w.wantList("tables", want, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
}

func (w *world) wantRows(table string, want ...string) {
	w.Helper()
	w.wantList("rows of "+table, want, "SELECT value FROM "+pgx.Identifier{table}.Sanitize()+" ORDER BY 1")
}

// wantNothingLeft checks that neither rows nor their record remain of the job.
func (w *world) wantNothingLeft() {
	w.Helper()
	w.wantTables()
	w.wantList("batches", nil, "SELECT batch::text FROM sluice.batches")
}

// wantKept checks which gaps a load finds in what earlier attempts have committed, as start-end. Without any it finds nothing.
func (w *world) wantKept(load *postgres.Load, gaps ...string) {
	w.Helper()
	var got []string
	if kept := load.Kept(); kept != nil {
		for _, g := range kept.Gaps {
			end := ""
			if g.End >= 0 {
				end = strconv.FormatInt(g.End, 10)
			}
			got = append(got, fmt.Sprintf("%d-%s", g.Start, end))
		}
	}
	if !slices.Equal(got, gaps) {
		w.Errorf("kept are all but %q, want %q", got, gaps)
	}
	if gaps == nil {
		w.wantNothingLeft()
	}
}

// ledger is all that could change in the ledger and in the staged rows.
func (w *world) ledger() []string {
	w.Helper()
	return w.list(`SELECT l::text FROM sluice.loads l UNION ALL SELECT b::text FROM sluice.batches b
		UNION ALL SELECT r::text FROM sluice.rejects r UNION ALL SELECT relname || relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`)
}

// waitFor waits until a query returns a row.
func (w *world) waitFor(what, sql string, args ...any) {
	w.Helper()
	ctx := testenv.Context(w)
	testenv.Eventually(ctx, w, what, func() error {
		tag, err := w.raw.Exec(ctx, sql, args...)
		if err == nil && tag.RowsAffected() == 0 {
			err = errors.New("not yet")
		}
		return err
	})
}

// waitUntilBlocked waits until a backend of the database waits for a lock in a statement that contains sql.
func (w *world) waitUntilBlocked(sql string) {
	w.Helper()
	w.waitFor("a backend is blocked in "+sql, `SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'`, sql)
}

func (w *world) staging() string { return "sluice_staging_" + hex(w.job) }

func hex(id string) string {
	u := uuid.MustParse(id)
	return fmt.Sprintf("%x", u[:])
}

func columns(names ...string) []events.Column {
	list := make([]events.Column, len(names))
	for i, n := range names {
		list[i] = events.Column{Original: n, Name: n, Type: "text"}
	}
	return list
}

// wholeJob loads one row as a job of its own.
func wholeJob(ctx context.Context, db *postgres.Database, table string) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Spec: events.Spec{Schema: "public"}})
	if err != nil {
		return err
	}
	if err := load.Prepare(ctx, postgres.File{Columns: columns("value")}); err != nil {
		return err
	}
	if err := load.Commit(ctx, batch(0, 10, "a")); err != nil {
		return err
	}
	_, err = load.Publish(ctx, batch(10, 20, "b"), postgres.Publication{Table: table, At: time.Now()})
	return err
}

// batch holds one-column rows that lie between two offsets.
func batch(start, end int64, values ...string) *postgres.Batch {
	rows := make([][][]byte, len(values))
	for i, v := range values {
		rows[i] = [][]byte{[]byte(v)}
	}
	return batchOf(start, end, rows...)
}

// batchOf holds rows of any number of columns, nil being NULL.
func batchOf(start, end int64, rows ...[][]byte) *postgres.Batch {
	b := postgres.NewBatch(start)
	if len(rows) > 0 {
		_ = b.Append(context.Background(), block(start+2, end, rows...)) // fails with its context only
	}
	b.End, b.FirstLine = end, start+2
	b.Close()
	return b
}

// block encodes rows.
func block(line, end int64, rows ...[][]byte) postgres.Block {
	b := postgres.Block{Delimiter: '\t', Null: `\N`, Count: int64(len(rows)), FirstLine: line, End: end}
	escape := strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "\r", "\\r")
	for _, row := range rows {
		for i, v := range row {
			if i > 0 {
				b.Data = append(b.Data, '\t')
			}
			if v == nil {
				b.Data = append(b.Data, b.Null...)
			} else {
				b.Data = append(b.Data, escape.Replace(string(v))...)
			}
		}
		b.Data = append(b.Data, '\n')
	}
	return b
}

// wantFailure returns the failure in err, which must have the code.
func wantFailure(t testing.TB, err error, code events.Code) events.Failure {
	t.Helper()
	var f *events.Failure
	if !errors.As(err, &f) {
		t.Fatalf("error %v is not a failure, want %s", err, code)
	}
	if f.Code != code || f.Retryable != code.Retryable() {
		t.Fatalf("failure %v, want %s", f, code)
	}
	return *f
}
