package postgres_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// file is what a job of a mode is to load. Its rows are written "a|b", where an empty text is NULL.
type file struct {
	mode    events.Mode
	table   string // trips, if it is empty
	schema  string // public, if it is empty
	key     []string
	columns []string
	rows    []string
	extra   bool // whether each row has values that no column has
	lineage bool // whether each row is to tell where it comes from: the first one lies in line 2
	types   events.ColumnTypes
}

// loaded brings a file into its table as a job of its own.
func (w *world) loaded(f file) *postgres.Outcome {
	w.Helper()
	outcome, err := f.loadBy(testenv.Context(w), w.db)
	w.must(err)
	return outcome
}

// refused is the failure of a job whose file cannot be loaded. It has left nothing.
func (w *world) refused(f file, code events.Code, says ...string) {
	w.Helper()
	load, err := f.opened(testenv.Context(w), w.db)
	w.must(err)
	_, err = f.loadWith(testenv.Context(w), load)
	got := wantFailure(w, err, code)
	for _, part := range says {
		if !strings.Contains(got.Message, part) {
			w.Errorf("the message is %q, want %q in it", got.Message, part)
		}
	}
	if strings.Contains(got.Message, "sluice_staging") {
		w.Errorf("the message is %q", got.Message)
	}
	_, err = load.Fail(testenv.Context(w), got, events.Figures{}, time.Now())
	w.must(err)
	w.wantList("staging", nil, "SELECT relname::text FROM pg_class WHERE relname LIKE 'sluice_staging_%'")
}

func (f file) loadBy(ctx context.Context, db *postgres.Database) (*postgres.Outcome, error) {
	load, err := f.opened(ctx, db)
	if err != nil {
		return nil, err
	}
	return f.loadWith(ctx, load)
}

func (f file) opened(ctx context.Context, db *postgres.Database) (*postgres.Load, error) {
	spec := events.Spec{Schema: f.schema, Table: f.table, Mode: f.mode, Key: f.key, Lineage: f.lineage, Types: f.types}
	if spec.Table == "" {
		spec.Table = "trips"
	}
	if spec.Schema == "" {
		spec.Schema = "public"
	}
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Spec: spec})
	return load, err
}

func (f file) loadWith(ctx context.Context, load *postgres.Load) (*postgres.Outcome, error) {
	if err := load.Prepare(ctx, postgres.File{Columns: columns(f.columns...)}); err != nil {
		return nil, err
	}
	return f.publishWith(ctx, load)
}

func (f file) publishWith(ctx context.Context, load *postgres.Load) (*postgres.Outcome, error) {
	copier := load.Copier(ctx, postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
	defer copier.Close()
	if err := copier.Write(f.block()); err != nil {
		return nil, err
	}
	return copier.Publish(100, func() postgres.Publication {
		return postgres.Publication{
			Table: load.Spec.Table, At: time.Now(),
			Result: events.Result{Outcome: "loaded", Columns: columns(f.columns...)},
		}
	})
}

func (f file) block() postgres.Block {
	rows := make([][][]byte, len(f.rows))
	for i, row := range f.rows {
		for value := range strings.SplitSeq(row, "|") {
			cell := []byte(value)
			if value == "" {
				cell = nil
			}
			rows[i] = append(rows[i], cell)
		}
		if f.lineage {
			rows[i] = append(rows[i], strconv.AppendInt(nil, int64(2+i), 10))
		}
	}
	b := block(2, 100, rows...)
	b.Extra = f.extra
	return b
}

// table is all of a table's rows, each as Postgres writes a row.
func (w *world) wantTable(table string, want ...string) {
	w.Helper()
	w.wantList("rows of "+table, want, "SELECT t::text FROM "+table+" t ORDER BY 1")
}

func TestTableThatIsNotThereIsMade(t *testing.T) {
	for _, mode := range events.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			f := file{mode: mode, columns: []string{"id", "City"}, rows: []string{"2|Bonn", "1|"}}
			if mode == events.Upsert {
				f.key = []string{"id"}
			}
			o := w.loaded(f)
			w.wantTable("trips", "(1,)", "(2,Bonn)")
			if o.Result.Schema != "public" || o.Result.Table != "trips" || o.Result.Rows != 2 || o.Result.Columns[0].Type != "text" {
				t.Errorf("the result is %+v", o.Result)
			}
			w.wantTables("trips")
		})
	}
}

func TestModesOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	names := []string{"id", "city"}
	w.loaded(file{mode: events.Upsert, key: names[:1], columns: names, rows: []string{"1|Bonn", "2|Rome"}})
	w.loaded(file{mode: events.Upsert, key: names[:1], columns: []string{"city", "id"}, rows: []string{"Paris|2", "Oslo|3"}})
	w.wantTable("trips", "(1,Bonn)", "(2,Paris)", "(3,Oslo)")
	w.loaded(file{mode: events.Append, columns: names[:1], rows: []string{"4"}})
	w.wantTable("trips", "(1,Bonn)", "(2,Paris)", "(3,Oslo)", "(4,)")
	w.refused(file{mode: events.Create, columns: names, rows: []string{"1|x"}}, events.CodeTableExists, "public.trips")
	w.loaded(file{mode: events.Replace, columns: names, rows: []string{"9|Kyiv"}})
	w.wantTable("trips", "(9,Kyiv)")
	w.loaded(file{mode: events.Upsert, key: names[:1], columns: names, rows: []string{"9|Lviv"}}) // the key has survived
	w.wantTable("trips", "(9,Lviv)")
	w.loaded(file{mode: events.Upsert, key: names[:1], columns: names[:1], rows: []string{"9", "8"}}) // nothing but the key
	w.wantTable("trips", "(8,)", "(9,Lviv)")
	w.wantTables("trips")
}
