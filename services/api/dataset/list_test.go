package dataset

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestListPagesInTheOrderOfBytes(t *testing.T) {
	w := newWorld(t)
	w.Exec(`CREATE SCHEMA "Zoo"; CREATE TABLE never_loaded ()`)
	var want []string
	for _, name := range [][2]string{
		{"Zoo", "a"}, {"public", `"quoted"`}, {"public", "B"}, {"public", "a"}, {"public", "b"}, {"public", "x; DROP TABLE y"}, {"public", "ä"},
	} {
		w.Exec(fmt.Sprintf(`CREATE TABLE %q.%s (id int)`, name[0], quotedName(name[1])))
		w.Dataset(name[0], name[1], 1)
		want = append(want, name[0]+" "+name[1])
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		q, pages := ListQuery{Limit: limit}, 1
		for ; ; pages++ {
			list, err := w.reader.List(w.ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range list.Datasets {
				got = append(got, d.Schema+" "+d.Table)
			}
			if q.Cursor = list.Next; list.Next == "" {
				break
			}
		}
		if !slices.Equal(got, want) || pages != (len(want)+limit-1)/limit {
			t.Errorf("with limit %d on %d pages: %q", limit, pages, got)
		}
	}
	for schema, many := range map[string]int{"Zoo": 1, "public": 6, "sluice": 0, "none": 0, "\x00": 0} {
		if list, err := w.reader.List(w.ctx, ListQuery{Limit: 10, Schema: schema}); err != nil || len(list.Datasets) != many {
			t.Errorf("of schema %s there are %d (%v)", schema, len(list.Datasets), err)
		}
	}
	for _, cursor := range []string{"x", "!", "bnVsbA=", encodeCursor([]int{1}), encodeCursor(nameCursor{"\x00", ""}), encodeCursor(place{})} {
		_, err := w.reader.List(w.ctx, ListQuery{Limit: 10, Cursor: cursor})
		wantParameter(t, cursor, err, "cursor")
	}
}

// quotedName is a table's name in a statement.
func quotedName(name string) string { return quoted(name)[len("t."):] }

func TestGetDescribesATable(t *testing.T) {
	w := newWorld(t)
	w.Exec(`CREATE TABLE trips (id bigint NOT NULL, "Total, EUR" numeric(10, 2), dropped int, at timestamptz); ALTER TABLE trips DROP COLUMN dropped;
		INSERT INTO trips SELECT n, 1.5, now() FROM generate_series(1, 5000) n`)
	job := w.Dataset("public", "trips", 4999)
	d, err := w.reader.Get(w.ctx, "public", "trips")
	want := []Column{{"id", "bigint", false}, {"Total, EUR", "numeric(10,2)", true}, {"at", "timestamp with time zone", true}}
	if err != nil || d.JobID != job || !d.Made || d.Mode != "create" || d.Source != "http://files/a.csv" || d.LoadedAt.IsZero() ||
		!slices.Equal(d.Columns, want) || d.Rows != 4999 || d.Bytes < 200000 {
		t.Fatalf("it is %+v (%v)", d, err)
	}
	for sql, rows := range map[string]int64{"ANALYZE trips": 5000} {
		w.Exec(sql)
		if d, err = w.reader.Get(w.ctx, "public", "trips"); err != nil || d.Rows != rows {
			t.Errorf("%s: %d rows (%v)", sql, d.Rows, err)
		}
	}
	w.Exec("TRUNCATE trips")
	if d, err = w.reader.Get(w.ctx, "public", "trips"); err != nil || d.Rows != 0 {
		t.Errorf("emptied it has %d rows (%v)", d.Rows, err)
	}
	for _, missing := range []string{"Trips", "trips ", "trips\x00", "", "\xff"} {
		if _, err := w.reader.Get(w.ctx, "public", missing); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", missing, err)
		}
	}
}

// A table that is locked does not keep others from being listed.
func TestListDoesNotWaitForALock(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", "CREATE TABLE trips AS SELECT n FROM generate_series(1, 10000) n; ANALYZE trips")
	tx, err := w.Pool.Begin(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(w.ctx) }()
	if _, err := tx.Exec(w.ctx, "LOCK TABLE trips"); err != nil {
		t.Fatal(err)
	}
	list, err := w.reader.List(w.ctx, ListQuery{Limit: 1})
	if err != nil || len(list.Datasets) != 1 || list.Datasets[0].Rows != 10000 || list.Datasets[0].Bytes < 300000 {
		t.Errorf("listed is %+v (%v)", list, err)
	}
	if _, err := w.try(RowsQuery{}); !errors.Is(err, ErrBusy) {
		t.Errorf("its rows: %v", err)
	}
}
