package postgres_test

import (
	"testing"

	"sluice/pkg/events"
)

// Postgres drops spaces that are too many for a column where it would refuse anything else.
func TestSpacesAreNotCut(t *testing.T) {
	w := newWorld(t)
	w.exec(`CREATE DOMAIN code AS varchar(3); CREATE DOMAIN shorter AS code CHECK (value <> 'no');
		CREATE TABLE trips (id varchar(3) PRIMARY KEY, code shorter); INSERT INTO trips VALUES ('x', 'y')`)
	names := []string{"id", "code"}
	for _, mode := range []events.Mode{events.Append, events.Upsert, events.Replace} {
		f := file{mode: mode, columns: names}
		if mode == events.Upsert {
			f.key = names[:1]
		}
		for _, row := range []string{"ab  |", "é\u00a0\u00a0 |", "1|ab  "} {
			f.rows = []string{row}
			w.refused(f, events.CodeValueInvalid, "varying(3)")
		}
		w.wantTable("trips", "(x,y)")
	}
	w.loaded(file{mode: events.Append, columns: names, rows: []string{"a  |éé "}})
	w.wantTable("trips", `("a  ","éé ")`, "(x,y)")
	w.loaded(file{mode: events.Replace, columns: names, rows: []string{"b  |éé "}})
	w.wantTable("trips", `("b  ","éé ")`)
}

func TestArraysOfNamesAreNotCut(t *testing.T) {
	for _, kind := range []string{"name[]", `"char"[]`} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			w.exec("CREATE TABLE trips (id " + kind + ", list text[], fixed point)")
			for _, mode := range []events.Mode{events.Append, events.Replace} {
				w.refused(file{mode: mode, columns: []string{"id"}, rows: []string{"{ab}"}}, events.CodeColumnsDiffer, "cuts values")
				w.loaded(file{mode: mode, columns: []string{"list", "fixed"}, rows: []string{"{ab}|(1,2)"}})
			}
		})
	}
}
