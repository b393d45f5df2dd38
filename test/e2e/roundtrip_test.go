package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"sluice/internal/testenv"
)

// TestExportsAreLoadedAsTheyWere exports tables of one column and of two as CSV and loads them again: NULL stays NULL, an empty text
// empty, and each row a row.
func TestExportsAreLoadedAsTheyWere(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	conn := i.connect(t)
	long := make([]string, 0, 300)
	for n := range cap(long) {
		long = append(long, []string{`NULL`, `''`, fmt.Sprint(n), fmt.Sprintf(`'text %d'`, n)}[n%4])
	}
	for name, values := range map[string][]string{
		"NULL at first":    {`NULL`, `'a'`, `'b'`},
		"NULL at last":     {`'a'`, `'b'`, `NULL`},
		"nothing else":     {`NULL`, `NULL`},
		"one NULL":         {`NULL`},
		"empty texts":      {`''`, `''`},
		"both":             {`''`, `NULL`, `'a'`, `NULL`, `''`},
		"what parts rows":  {`E'a\nb'`, `E'c\r\n\r\nd'`, `E'\n'`, `E'\r'`, `'\.'`, `NULL`, `'"'`},
		"what parts cells": {`'a,b'`, `'c;d'`, `'e;f'`, `E'g\th'`, `'i|j'`, `'k l'`, `' m '`, `NULL`},
		"many":             long,
	} {
		for _, columns := range []string{"t", "n,t"} {
			t.Run(name+" in "+columns, func(t *testing.T) {
				sql := `DROP TABLE IF EXISTS again, given; CREATE TABLE given (n bigint, t text)`
				for n, v := range values {
					sql += fmt.Sprintf("; INSERT INTO given VALUES (%d, %s::text)", n+1, v)
				}
				if _, err := conn.Exec(testenv.Context(t), sql+`; DELETE FROM sluice.datasets; INSERT INTO sluice.datasets
					SELECT 'public', 'given', 'given'::regclass, 'sluice.datasets'::regclass, gen_random_uuid(), '', 'create', true, 1, now();
					SELECT sluice.show('public', 'given')`); err != nil {
					t.Fatal(err)
				}
				text := i.export(t, "/v1/datasets/given/rows?format=csv&columns="+url.QueryEscape(columns))
				files := testenv.Files(t, map[string]string{"/a.csv": text})
				i.awaitState(t, i.submit(t, map[string]any{
					"url": files + "/a.csv", "table": "again", "ordered": true, "csv": map[string]any{"header": true},
				}).ID, "succeeded")
				shape := `SELECT coalesce(to_json(t)::text, 'NULL') FROM `
				got, want := column[string](t, conn, shape+"again ORDER BY ctid"), column[string](t, conn, shape+"given ORDER BY n")
				if !slices.Equal(got, want) {
					t.Errorf("%q is loaded as %q, want %q", text, got, want)
				}
			})
		}
	}
}

// export reads all of a stream.
func (i *instance) export(t testing.TB, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodGet, i.api+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s is answered with %d %s (%v)", path, response.StatusCode, text, err)
	}
	return string(text)
}
