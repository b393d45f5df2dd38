package dataset

import (
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", `CREATE DOMAIN short AS varchar(3); CREATE TYPE mood AS ENUM ('sad', 'glad');
		CREATE TABLE trips (id int, "p:eq:q" text, a text, v varchar(3), c char(3), n numeric(5, 2), at timestamptz, d short, m mood, bits bit(3), j json);
		INSERT INTO trips VALUES (1, 'x', 'b:x', 'abc', 'abc', 1.25, '2026-01-01T00:00:00Z', 'abc', 'sad', '101', '{}'),
		(2, 'y', '', 'ab', 'ab', -1, '2026-06-01T00:00:00Z', 'ab', 'glad', '111', NULL), (3, NULL, NULL, NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL)`)
	for filters, want := range map[string]string{
		"id:eq:2": "2", "id:ne:2": "1 3", "id:lt:2": "1", "id:lte:2": "1 2", "id:gt:2": "3", "id:gte:2": "2 3", "id:eq: 2 ": "2",
		"a:eq:b:x": "1", "p:eq:q:eq:x": "1", "a:eq:": "2", "a:is:null": "3", "a:is:not_null": "1 2", "a:ne:b:x": "2",
		"v:eq:abc": "1", "v:eq:abcd": "", "c:eq:abc": "1", "c:eq:ab": "2", "c:eq:abcd": "", "d:eq:abcd": "", "d:eq:abc": "1",
		"n:eq:1.25": "1", "n:eq:1.251": "", "n:gt:5": "3", "n:lt:0": "2", "at:gte:2026-03-01": "2", "m:gt:sad": "2", "bits:eq:101": "1", "bits:eq:1011": "",
		"j:is:null": "2 3", "id:gt:1|id:lt:3": "2", "id:gt:1|a:is:null": "3", "a:eq:'; DROP TABLE trips; --": "",
	} {
		var got []string
		rows, _ := w.all(RowsQuery{Columns: "id", Filters: strings.Split(filters, "|")})
		for _, row := range rows {
			got = append(got, strings.Trim(row, `{"id:}`))
		}
		if found := strings.Join(got, " "); found != want {
			t.Errorf("%s: %q, want %q", filters, found, want)
		}
	}
	for _, filter := range []string{
		"", ":", "::", "id", "id:", "id:eq", "id:eq2", "id:like:1", "none:eq:1", "ID:eq:1", ":eq:1", "id:is:", "id:is:NULL", "id:eq:x", "id:eq:", "id:eq:99999999999",
		"n:eq:x", "at:eq:yesterdays", "m:eq:angry", "bits:eq:2", "j:eq:{}", "a:eq:\x00", "a:eq:\xff", "ctid:eq:(0,1)", "tableoid:eq:1", "j:eq:x",
	} {
		_, err := w.try(RowsQuery{Filters: []string{filter}})
		wantParameter(t, filter, err, "filter")
		wantParameter(t, filter, w.reader.Export(w.ctx, ExportQuery{Schema: "public", Table: "trips", Filters: []string{filter}, Format: CSV}, nil), "filter")
	}
	_, err := w.try(RowsQuery{Filters: make([]string, maxFilters+1)})
	wantParameter(t, "too many", err, "filter")
	for _, columns := range []string{"none", "id,id", `"id`, `i"d`, "id\nid", "id,", ",", `""`, "*", "ctid", "id; DROP TABLE trips", "\x00"} {
		_, err := w.try(RowsQuery{Columns: columns})
		wantParameter(t, columns, err, "columns")
	}
}
