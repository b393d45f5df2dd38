package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// world is a database and what reads it.
type world struct {
	*testing.T
	*testenv.Warehouse
	ctx    context.Context
	reader *Reader
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return newLoneWorld(t)
}

// newLoneWorld is newWorld for a test beside which no other runs.
func newLoneWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, Warehouse: testenv.NewWarehouse(t), ctx: testenv.Context(t)}
	reader, err := Open(Config{URL: w.ReaderURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	w.reader = reader
	return w
}

// loaded makes a table of schema public by statements, as if it had been loaded.
func (w *world) loaded(table, sql string) {
	w.Helper()
	w.Exec(sql)
	w.Dataset("public", table, 1)
}

// page returns a page of public.trips, which must not fail.
func (w *world) page(q RowsQuery) Rows {
	w.Helper()
	page, err := w.try(q)
	if err != nil {
		w.Fatalf("%+v: %v", q, err)
	}
	return page
}

func (w *world) try(q RowsQuery) (Rows, error) {
	if q.Schema == "" {
		q.Schema = "public"
	}
	if q.Table == "" {
		q.Table = "trips"
	}
	if q.Limit == 0 {
		q.Limit = 1000
	}
	return w.reader.Rows(w.ctx, q)
}

// all pages through a table and returns its rows.
func (w *world) all(q RowsQuery) (rows []string, pages int) {
	w.Helper()
	for {
		page := w.page(q)
		pages++
		for _, row := range page.Rows {
			if !json.Valid(row) || bytes.IndexByte(row, '\n') >= 0 {
				w.Fatalf("%q is no JSON on one line", row)
			}
			rows = append(rows, string(row))
		}
		if page.Next == "" {
			return rows, pages
		}
		q.Cursor = page.Next
	}
}

func (w *world) wantRows(q RowsQuery, want ...string) {
	w.Helper()
	if got, _ := w.all(q); !slices.Equal(got, want) {
		w.Errorf("%+v: %q, want %q", q, got, want)
	}
}

// exported is what an export of public.trips writes.
func (w *world) exported(q ExportQuery) string {
	w.Helper()
	var out strings.Builder
	if q.Table == "" {
		q.Table = "trips"
	}
	q.Schema = "public"
	if err := w.reader.Export(w.ctx, q, &out); err != nil {
		w.Fatalf("%+v: %v", q, err)
	}
	return out.String()
}

// wantParameter checks that an error is about a parameter.
func wantParameter(t *testing.T, what string, err error, name string) {
	t.Helper()
	if bad, ok := errors.AsType[*ParameterError](err); !ok || bad.Name != name {
		t.Errorf("%s: %v, want it to be about %s", what, err, name)
	}
}
