package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestInferredTypes loads a file whose first rows would mislead a guess.
func TestInferredTypes(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("id,zip,price,at,code\n")
	for range 20_000 {
		text.WriteString("1,1234,2,2024-01-01T00:57:55Z,7\n")
	}
	text.WriteString("70000,0150,2.50,2024-01-01T01:17:43Z,0164A\n")
	i := up(t, testenv.Dir(t))
	url := testenv.Files(t, map[string]string{"/a.csv": text.String()}) + "/a.csv"
	j := i.awaitState(t, i.submit(t, map[string]any{"url": url, "table": "typed", "types": "infer"}).ID, "succeeded")
	var told []string
	for _, c := range got[result](t, i, j.Links.Result).Columns {
		told = append(told, c.Type)
	}
	if want := "integer text numeric timestamp with time zone text"; strings.Join(told, " ") != want {
		t.Errorf("the types are %q, want %s", told, want)
	}
	last := column[string](t, i.connect(t), `SELECT concat_ws(' ', id + 1, zip, price, at AT TIME ZONE 'UTC', code) FROM public.typed WHERE id > 1`)
	if len(last) != 1 || last[0] != "70001 0150 2.50 2024-01-01 01:17:43 0164A" {
		t.Errorf("the last row is %q", last)
	}
}

// TestStatedTypes sends the request of docs/types.md as it stands there, and one for a file with a value that does not fit.
func TestStatedTypes(t *testing.T) {
	t.Parallel()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "types.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "## Stated types")
	_, example, _ = strings.Cut(example, "-d '")
	example, _, _ = strings.Cut(example, "'\n```")
	var request map[string]any
	if err := json.Unmarshal([]byte(example), &request); err != nil {
		t.Fatalf("%s: %v", example, err)
	}
	files := testenv.Files(t, map[string]string{
		"/orders.csv": "id;ordered;price;paid;pieces\n1;31.12.2024 23:30;1.234,50;ja;5\n2;1.7.2024 09:05;n/a;nein;7\n",
		"/bad.csv":    "id;ordered;price;paid;pieces\n1;31.12.2024 23:30;1,5;ja;5\nx7;31.12.2024 23:30;1,5;ja;5\n",
	})
	i := up(t, testenv.Dir(t))
	request["url"] = files + "/orders.csv"
	j := i.awaitState(t, i.submit(t, request).ID, "succeeded")
	var told []string
	for _, c := range got[result](t, i, j.Links.Result).Columns {
		told = append(told, c.Type)
	}
	if want := "bigint, timestamp with time zone, numeric(10,2), boolean, smallint"; strings.Join(told, ", ") != want {
		t.Errorf("the types are %q, want %s", told, want)
	}
	rows := column[string](t, i.connect(t), `SELECT concat_ws(' ', id, ordered AT TIME ZONE 'UTC', price, paid, pieces) FROM public.orders ORDER BY id`)
	if want := []string{"1 2024-12-31 22:30:00 1234.50 t 5", "2 2024-07-01 07:05:00 f 7"}; !slices.Equal(rows, want) {
		t.Errorf("the rows are %q, want %q", rows, want)
	}

	delete(request, "max_bad_rows")
	request["url"], request["table"] = files+"/bad.csv", "bad"
	failed := i.awaitState(t, i.submit(t, request).ID, "failed")
	_, said, _ := strings.Cut(string(page), "### Values that do not fit")
	_, said, _ = strings.Cut(said, "```json\n")
	said, _, _ = strings.Cut(said, "\n```")
	if told, err := json.Marshal(failed.Error); err != nil || string(told) != said {
		t.Errorf("it failed with\n%s\nwant\n%s", told, said)
	}
}
