package e2e

import (
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
