package e2e

import (
	"fmt"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// messy is a file as offices export it: in windows-1252, with title lines, semicolons, decimal commas, a row that is too
// long, one that is too short, a quote that was not doubled, and two rows that cannot be read.
const messy = "Umsatz je Filiale\r\n\r\n" +
	"Filiale;Umsatz;Gr\xF6\xDFe\r\n" +
	"K\xF6ln;1234,50;12\r\n" +
	"Bonn;99,90;7;geschlossen\r\n" +
	"Jena;1,00\r\n" +
	"\"Hof \"Nord\"\";5,00;3\r\n" +
	"Ulm;\"2\"x\r\n" +
	"Trier;3,00;\x81\r\n" +
	"Kiel;8,00;9\r\n"

type messyResult struct {
	Rows     int64 `json:"rows"`
	Rejected int64 `json:"rejected"`
	Dialect  struct {
		Encoding   string  `json:"encoding"`
		Delimiter  string  `json:"delimiter"`
		HeaderRows int     `json:"header_rows"`
		SkipRows   int     `json:"skip_rows"`
		LineEnd    string  `json:"line_end"`
		Confidence float64 `json:"confidence"`
	} `json:"dialect"`
	Columns []struct {
		Name string `json:"name"`
	} `json:"columns"`
	Warnings []struct {
		Code  string  `json:"code"`
		Lines []int64 `json:"lines"`
	} `json:"warnings"`
}

// TestMessyFile holds that such a file is loaded as people would read it, that the result says how, and that what cannot be
// read lies beside it.
func TestMessyFile(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	url := testenv.Files(t, map[string]string{"/umsatz.csv": messy}) + "/umsatz.csv"
	conn := i.connect(t)

	id := i.submit(t, map[string]any{"url": url, "table": "umsatz", "max_bad_rows": 2}).ID
	j := i.awaitState(t, id, "succeeded")
	if j.Progress.Rows != 5 {
		t.Errorf("%d rows", j.Progress.Rows)
	}
	rows := column[string](t, conn, `SELECT concat_ws('|', "Filiale", "Umsatz", coalesce("Größe", 'NULL'), _extra) FROM umsatz ORDER BY 1`)
	if want := `Bonn|99,90|7|{geschlossen} Hof "Nord"|5,00|3 Jena|1,00|NULL Kiel|8,00|9 Köln|1234,50|12`; strings.Join(rows, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(rows, " "), want)
	}
	rejects := column[string](t, conn, `SELECT concat_ws('|', line, byte_offset, column_number, column_name, code, raw) FROM sluice.rejects ORDER BY line`)
	want := fmt.Sprintf("8|%d|2|Umsatz|stray_quote|Ulm;\"2\"x\n9|%d|3|Größe|bad_encoding|Trier;3,00;\uFFFD",
		strings.Index(messy, "Ulm"), strings.Index(messy, "Trier"))
	if got := strings.Join(rejects, "\n"); got != want {
		t.Errorf("rejected are\n%s\nwant\n%s", got, want)
	}
	result := got[messyResult](t, i, "/v1/jobs/"+id+"/result")
	d := result.Dialect
	if d.Encoding != "windows-1252" || d.Delimiter != ";" || d.HeaderRows != 1 || d.SkipRows != 2 || d.LineEnd != "crlf" ||
		d.Confidence <= 0 || d.Confidence > 1 || result.Rows != 5 || result.Rejected != 2 || len(result.Columns) != 3 {
		t.Errorf("the result is %+v", result)
	}
	var warnings []string
	for _, w := range result.Warnings {
		warnings = append(warnings, fmt.Sprint(w.Code, w.Lines))
	}
	if got := strings.Join(warnings, " "); got != "uncertain[] title_lines[1 2] short_row[6] extra_fields[5] stray_quote[7]" {
		t.Errorf("warnings: %s", got)
	}

	id = i.submit(t, map[string]any{"url": url, "table": "strict"}).ID
	if j := i.awaitState(t, id, "failed"); j.Error.Code != "stray_quote" || j.Error.Line != 8 {
		t.Errorf("with no bad rows allowed: %+v", j.Error)
	}
	id = i.submit(t, map[string]any{"url": url, "table": "few", "max_bad_rows": 1}).ID
	if j := i.awaitState(t, id, "failed"); j.Error.Code != "too_many_bad_rows" || !strings.Contains(j.Error.Message, "line 8") {
		t.Errorf("with one bad row allowed: %+v", j.Error)
	}
	if kept := column[int64](t, conn, `SELECT line FROM sluice.rejects WHERE job_id::text = $1 ORDER BY 1`, id); len(kept) != 2 || kept[0] != 8 || kept[1] != 9 {
		t.Errorf("the rows that it failed because of are in lines %v", kept)
	}
	id = i.submit(t, map[string]any{
		"url": url, "table": "stated", "max_bad_rows": "50%", "column_names": "snake", "null": []string{"7"},
		"csv": map[string]any{"encoding": "latin1", "delimiter": ";", "header": true, "skip_rows": 2},
	}).ID
	i.awaitState(t, id, "succeeded")
	if got := column[string](t, conn, `SELECT filiale FROM stated WHERE größe IS NULL ORDER BY 1`); strings.Join(got, " ") != "Bonn Jena" {
		t.Errorf("without a size are %v", got)
	}
	if made := strings.Join(tables(t, conn), " "); made != "stated umsatz" {
		t.Errorf("the tables are %s", made)
	}
	expectNoStaging(t, conn)
}
