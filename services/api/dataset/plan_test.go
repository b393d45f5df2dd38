package dataset

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestLatePagesAreAsCheapAsTheFirst reads a page near the end of a million rows, and counts the blocks that it touches.
func TestLatePagesAreAsCheapAsTheFirst(t *testing.T) {
	w := newWorld(t)
	w.Exec(`CREATE TABLE trips (id int, a int, b text); INSERT INTO trips SELECT n, n * 7919 % 1000003, 'some text' FROM generate_series(1, 1000000::bigint) n;
		CREATE INDEX ON trips (a)`)
	w.Dataset("public", "trips", 1)
	for _, tt := range []struct {
		name, sql, cursor, node string
	}{
		{"where they lie", "", `(6300,1)`, "Tid Range Scan"},
		{"by their key", "ALTER TABLE trips ADD PRIMARY KEY (id)", "990000", "Index Scan"},
		{"by a double key", "ALTER TABLE trips DROP CONSTRAINT trips_pkey; ALTER TABLE trips ADD PRIMARY KEY (a, b)", "990000", "Index Scan"},
		{"without statistics", "DELETE FROM pg_statistic WHERE starelid = 'trips'::regclass; UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname = 'trips'",
			"990000", "Index Scan"},
	} {
		if tt.sql != "" {
			w.Exec(tt.sql)
		}
		if tt.name != "without statistics" {
			w.Exec("ANALYZE trips")
		}
		for _, filters := range [][]string{nil, {"a:gte:0"}} {
			if filters != nil && tt.node == "Index Scan" {
				continue // the planner may choose
			}
			node, blocks := w.explain(tt.cursor, filters)
			if node != tt.node || blocks > 60 {
				t.Errorf("rows %s, filters %q: a late page is a %s of %d blocks, want a %s of a few", tt.name, filters, node, blocks, tt.node)
			}
		}
	}
}

// explain returns the node by which a page is read, and how many blocks that has touched.
func (w *world) explain(key string, filters []string) (node string, blocks int) {
	w.Helper()
	err := w.reader.read(w.ctx, "", func(tx pgx.Tx) error {
		table, err := openTable(w.ctx, tx, "public", "trips")
		if err != nil {
			return err
		}
		after := place{Table: table.oid, File: table.file, Key: []string{key}}
		if table.key != nil {
			after = place{Table: table.oid, Index: table.key.index, Key: []string{key, "some text"}[:len(table.key.columns)]}
		}
		s, err := table.selection(filters, encodeCursor(after))
		if err != nil {
			return err
		}
		if err := s.set(w.ctx, tx, true); err != nil {
			return err
		}
		var text string
		sql := "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + s.statement(append(s.places(), s.object(table.columns)), 51)
		if err := tx.QueryRow(w.ctx, sql, s.args...).Scan(&text); err != nil {
			return err
		}
		type plan struct {
			Node  string `json:"Node Type"`
			Hit   int    `json:"Shared Hit Blocks"`
			Read  int    `json:"Shared Read Blocks"`
			Rows  int    `json:"Actual Rows"`
			Plans []plan `json:"Plans"`
		}
		var found []struct{ Plan plan }
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			return err
		}
		at := found[0].Plan
		if at.Rows != 51 {
			w.Errorf("the page has %d rows: %s", at.Rows, text)
		}
		blocks, node = at.Hit+at.Read, at.Plans[0].Node // below the limit
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return node, blocks
}
