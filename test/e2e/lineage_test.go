package e2e

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// TestLineage holds that each row tells of its line, its job and when it was loaded, that the dataset shows these columns as any
// others, and that the result tells of the file's alone.
func TestLineage(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	files := testenv.Files(t, map[string]string{"/umsatz.csv": messy, "/more.csv": "Filiale;Umsatz;Größe\nMainz;1,00;2\n"})
	asked := map[string]any{"url": files + "/umsatz.csv", "table": "umsatz", "max_bad_rows": 3, "extra_fields": "reject", "lineage": true}
	id := i.submit(t, asked).ID
	i.awaitState(t, id, "succeeded")
	if r := got[messyResult](t, i, "/v1/jobs/"+id+"/result"); len(r.Columns) != 3 || r.Columns[2].Name != "Größe" {
		t.Errorf("the result tells of the columns %+v", r.Columns)
	}
	dataset := func() (columns []string, loadedAt string) {
		d := got[struct {
			LoadedAt string `json:"loaded_at"`
			Columns  []struct{ Name, Type string }
		}](t, i, "/v1/datasets/umsatz")
		for _, c := range d.Columns {
			columns = append(columns, c.Name+" "+c.Type)
		}
		return columns, d.LoadedAt
	}
	columns, first := dataset()
	if want := "Filiale text, Umsatz text, Größe text, _line bigint, _job uuid, _loaded_at timestamp with time zone"; strings.Join(columns, ", ") != want {
		t.Errorf("the dataset has the columns %q, want %q", columns, want)
	}
	type row struct {
		Filiale  string
		Line     int64  `json:"_line"`
		Job      string `json:"_job"`
		LoadedAt string `json:"_loaded_at"`
	}
	rows := func(query string) []row {
		return got[struct{ Rows []row }](t, i, "/v1/datasets/umsatz/rows?columns=Filiale,_line,_job,_loaded_at&"+query).Rows
	}
	lines := map[string]int64{"Köln": 4, "Jena": 6, `Hof "Nord"`: 7, "Kiel": 10}
	read := rows("limit=10")
	for _, r := range read {
		if r.Line != lines[r.Filiale] || r.Job != id || !sameTime(t, r.LoadedAt, first) {
			t.Errorf("a row is %+v, and was loaded by job %s at %s", r, id, first)
		}
	}
	if len(read) != len(lines) {
		t.Errorf("the rows are %+v", read)
	}

	more := i.submit(t, map[string]any{"url": files + "/more.csv", "table": "umsatz", "mode": "append", "lineage": true}).ID
	i.awaitState(t, more, "succeeded")
	_, second := dataset()
	if r := rows("filter=_job:eq:" + more); len(r) != 1 || r[0].Line != 2 || !sameTime(t, r[0].LoadedAt, second) {
		t.Errorf("of the second job, at %s, are %+v", second, r)
	}
	if r := rows("filter=_line:gt:6&filter=_job:eq:" + id); len(r) != 2 || !sameTime(t, r[0].LoadedAt, first) {
		t.Errorf("of the first job, at %s, are %+v", first, r)
	}
	i.awaitState(t, i.submit(t, map[string]any{"url": files + "/more.csv", "table": "plain"}).ID, "succeeded")
	j := i.awaitState(t, i.submit(t, map[string]any{"url": files + "/more.csv", "table": "plain", "mode": "append", "lineage": true}).ID, "failed")
	if j.Error.Code != "columns_differ" || !strings.Contains(j.Error.Message, "_line") {
		t.Errorf("into a table without the columns: %+v", j.Error)
	}
}

// sameTime compares times that are written in different ways.
func sameTime(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := time.Parse(time.RFC3339, a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := time.Parse(time.RFC3339, b)
	if err != nil {
		t.Fatal(err)
	}
	return x.Equal(y)
}
