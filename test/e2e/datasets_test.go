package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

// strangeTable is a legal name of a table.
const strangeTable = `x; DROP TABLE "y/z"`

// TestDatasets loads a table, looks at it, pages through it, exports it, and drops it: in a private Postgres, whose reading role logs
// in, and in another, where it is taken on.
func TestDatasets(t *testing.T) {
	t.Parallel()
	t.Run("private", func(t *testing.T) { t.Parallel(); datasets(t, up(t, testenv.Dir(t))) })
	t.Run("another", func(t *testing.T) {
		t.Parallel()
		database := testenv.Database(t)
		i := up(t, testenv.Dir(t), "--postgres-url", database)
		i.postgres = database // which is not told as it is
		datasets(t, i)
	})
}

func datasets(t *testing.T, i *instance) {
	t.Helper()
	var file strings.Builder
	file.WriteString("id,Total; EUR,note\n")
	const rows = 2500
	for n := range rows {
		fmt.Fprintf(&file, "%d,%d.50,=note %d\n", n, n, n%3)
	}
	file.WriteString("a,b,c,d\n")
	files := testenv.Files(t, map[string]string{"/a.csv": file.String()})
	loaded := i.awaitState(t, i.submit(t, map[string]any{
		"url": files + "/a.csv", "table": strangeTable, "types": "infer", "extra_fields": "reject", "max_bad_rows": 1,
	}).ID, "succeeded")

	listed := got[struct {
		Datasets []struct {
			Table, Source string
			JobID         string `json:"job_id"`
			Made          bool   `json:"made_by_sluice"`
			Rows, Bytes   int64
			Columns       []struct{ Name, Type string }
		}
	}](t, i, "/v1/datasets")
	if len(listed.Datasets) != 1 {
		t.Fatalf("listed is %+v", listed)
	}
	if d := listed.Datasets[0]; d.Table != strangeTable || d.JobID != loaded.ID || d.Source != files+"/a.csv" || !d.Made || d.Rows != rows ||
		len(d.Columns) != 3 || d.Columns[1].Name != "Total; EUR" || d.Columns[1].Type != "numeric" {
		t.Errorf("listed is %+v", d)
	}
	path := "/v1/datasets/" + url.PathEscape(strangeTable)
	ids, cursor := []string{}, ""
	for {
		page := got[struct {
			Rows []struct{ ID json.Number }
			Next string `json:"next_cursor"`
		}](t, i, path+"/rows?limit=1000&columns=id"+cursor)
		for _, row := range page.Rows {
			ids = append(ids, row.ID.String())
		}
		if cursor = "&cursor=" + page.Next; page.Next == "" {
			break
		}
	}
	if len(ids) != rows || ids[rows-1] != "2499" {
		t.Errorf("%d rows are read, the last %s", len(ids), ids[len(ids)-1])
	}
	whole := i.get(t, path+"/rows?format=ndjson")
	if n := bytes.Count(whole.body, []byte("\n")); n != rows || !bytes.HasPrefix(whole.body, []byte(`{"id":0,"Total; EUR":0.50,"note":"=note 0"}`+"\n")) {
		t.Errorf("%d rows are exported, beginning with %.100s", n, whole.body)
	}
	filter := url.Values{"format": {"csv"}, "formula_safe": {"true"}, "filter": {"Total; EUR:gte:2498", "note:ne:=note 2"}}
	if part := i.get(t, path+"/rows?"+filter.Encode()); string(part.body) != "id,Total; EUR,note\r\n2499,2499.50,'=note 0\r\n" {
		t.Errorf("the part is %q", part.body)
	}
	if a := i.get(t, "/v1/jobs/"+loaded.ID+"/rejects?format=csv"); !strings.Contains(string(a.body), `,too_many_fields,`) {
		t.Errorf("rejected is %q", a.body)
	}
	conn := i.connect(t)
	name := pgx.Identifier{"public", strangeTable}.Sanitize()
	for _, sql := range []string{"CREATE VIEW seen AS SELECT * FROM " + name, "CREATE TABLE secret AS SELECT 1 AS x"} {
		if _, err := conn.Exec(testenv.Context(t), sql); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, i.get(t, "/v1/datasets/secret/rows"), http.StatusNotFound, "dataset_not_found")
	refused(t, i.call(t, http.MethodDelete, "/v1/datasets/secret", ""), http.StatusNotFound, "dataset_not_found")
	refused(t, i.call(t, http.MethodDelete, path, ""), http.StatusConflict, "dependents_exist")
	if _, err := conn.Exec(testenv.Context(t), "DROP VIEW seen"); err != nil {
		t.Fatal(err)
	}
	if a := i.call(t, http.MethodDelete, path, ""); a.status != http.StatusNoContent {
		t.Errorf("dropped is %d %s", a.status, a.body)
	}
	refused(t, i.call(t, http.MethodDelete, path, ""), http.StatusNotFound, "dataset_not_found")
	refused(t, i.get(t, path), http.StatusNotFound, "dataset_not_found")
	if left := tables(t, conn); len(left) != 1 || !strings.Contains(left[0], "secret") {
		t.Errorf("left are %v", left)
	}
	i.stop(t)
}
