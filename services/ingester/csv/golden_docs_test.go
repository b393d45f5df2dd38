package csv_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// docExample is what docs/csv.md shows of one file: what is in it, what a job says of it if that is anything, the table
// that it becomes, and in some examples what is reported.
type docExample struct {
	in, says, table, reported string
}

// TestDocs holds that the examples of docs/csv.md are true. A block of csv is followed by one of text, with one of json
// between them where the job says something, and one behind them that is a part of the result.
func TestDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/csv.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := docExamples(t, string(page))
	if len(examples) < 15 {
		t.Errorf("there are %d examples", len(examples))
	}
	for _, e := range examples {
		opts := production(func(o *csv.Options) { state(t, o, e.says) })
		for how, src := range deliveries(e.in, 1) {
			if got := showTable(t, src, opts); got != e.table {
				t.Fatalf("%s of\n%s%s\n got\n%s\nwant\n%s", how, e.in, e.says, got, e.table)
			}
		}
		if e.reported != "" {
			checkReported(t, e, opts)
		}
	}
}

var docFence = regexp.MustCompile("(?ms)^```(csv|json|text)\n(.*?)^```$")

func docExamples(t *testing.T, page string) []docExample {
	t.Helper()
	var list []docExample
	for _, block := range docFence.FindAllStringSubmatch(page, -1) {
		kind, body := block[1], block[2]
		open := len(list) > 0 && list[len(list)-1].table == ""
		switch {
		case kind == "csv" && open:
			t.Errorf("no table follows %q", list[len(list)-1].in)
		case kind == "csv":
			list = append(list, docExample{in: body})
		case kind == "json" && open:
			list[len(list)-1].says = body
		case kind == "json" && strings.HasPrefix(body, "{\n  \"dialect\""):
			list[len(list)-1].reported = body
		case kind == "json":
			state(t, &csv.Options{}, body) // of no file
		case !open:
			t.Errorf("no file comes before %q", body)
		default:
			list[len(list)-1].table = body
		}
	}
	return list
}

// state sets what a job says, in JSON.
func state(t *testing.T, o *csv.Options, says string) {
	t.Helper()
	if says == "" {
		return
	}
	var spec struct {
		events.Spec
		URL string `json:"url"` // which no job keeps as it came
	}
	decoder := json.NewDecoder(strings.NewReader(says))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&spec); err != nil {
		t.Errorf("%s: %v", says, err)
	}
	o.Stated, o.Null, o.BadRows = &spec.CSV, spec.Null, csv.BadRows(spec.MaxBadRows)
	o.Snake, o.Rescue = spec.ColumnNames == events.SnakeNames, spec.ExtraFields != events.RejectExtra
}

// showTable reads a file and draws it as the page does.
func showTable(t *testing.T, src io.Reader, opts csv.Options) string {
	t.Helper()
	got := readAll(t, src, opts)
	records, rejects := withoutRejects(got.records)
	var table [][]string
	if got.columns != "" {
		table = append(table, strings.Split(got.columns, "|"))
	}
	for _, record := range records {
		table = append(table, docCells(t, record))
	}
	var page strings.Builder
	drawTable(&page, table)
	for _, w := range docWarning.FindAllStringSubmatch(got.warnings, -1) {
		noun := "line"
		if strings.Contains(w[3], " ") {
			noun = "lines"
		}
		fmt.Fprintf(&page, "warning: %s %s, %s %s\n", w[1], w[2], noun, strings.ReplaceAll(w[3], " ", ", "))
	}
	for _, reject := range rejects {
		place, raw, _ := strings.Cut(reject, " \"")
		text, err := strconv.Unquote(`"` + raw)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&page, "rejected: %s: %s\n", docPlace.ReplaceAllString(place, ", line $1, byte $3, column $2"), text)
	}
	if got.failure != "" {
		fmt.Fprintf(&page, "error: %s\n", docPlace.ReplaceAllString(got.failure, ", line $1, column $2, byte $3"))
	}
	return page.String()
}

var (
	docWarning = regexp.MustCompile(`(\w+) (\d+) \[([\d ]+)\]`)
	docPlace   = regexp.MustCompile(` (\d+):(\d+):(\d+)`)
)

// docCells takes apart what readAll tells of a record.
func docCells(t *testing.T, record string) []string {
	t.Helper()
	var cells []string
	for rest := record + "|"; rest != ""; rest = rest[1:] {
		text, isNull := strings.CutPrefix(rest, "NULL")
		if isNull {
			cells, rest = append(cells, "NULL"), text
			continue
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			t.Fatalf("%q: %v", record, err)
		}
		cell, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(err)
		}
		if cell == "" {
			cell = "''"
		}
		cells, rest = append(cells, strings.ReplaceAll(cell, "\n", "↵")), rest[len(quoted):]
	}
	return cells
}

// drawTable draws rows below a header, filled up with the column of what has no other.
func drawTable(page *strings.Builder, table [][]string) {
	width := 0
	for _, row := range table {
		width = max(width, len(row))
	}
	widths := make([]int, width)
	for i, row := range table {
		for len(row) < width {
			row = append(row, "NULL")
			if i == 0 {
				row[len(row)-1] = csv.ExtraColumn
			}
		}
		for j, cell := range row {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
		table[i] = row
	}
	for i, row := range table {
		line := make([]string, width)
		for j, cell := range row {
			line[j] = fmt.Sprintf("%-*s", widths[j], cell)
		}
		page.WriteString(strings.TrimRight(strings.Join(line, " | "), " ") + "\n")
		if i == 0 {
			for j := range line {
				line[j] = strings.Repeat("-", widths[j])
			}
			page.WriteString(strings.Join(line, "-+-") + "\n")
		}
	}
}

// checkReported compares a part of a job's result. How sure a guess is may change.
func checkReported(t *testing.T, e docExample, opts csv.Options) {
	t.Helper()
	type report struct {
		Dialect  events.Dialect   `json:"dialect"`
		Columns  []events.Column  `json:"columns"`
		Warnings []events.Warning `json:"warnings"`
	}
	var want, got report
	if err := json.Unmarshal([]byte(e.reported), &want); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(e.in), opts)
	rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
	var err error
	for err == nil {
		_, err = r.ReadRows(&rows)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	got.Dialect, got.Warnings = r.Dialect(), r.TakeWarnings()
	if got.Columns, err = r.Columns(); err != nil {
		t.Fatal(err)
	}
	if c := got.Dialect.Confidence; c <= 0.5 || c >= 1 {
		t.Errorf("the confidence is %v", c)
	}
	got.Dialect.Confidence = want.Dialect.Confidence
	if !reflect.DeepEqual(got, want) {
		t.Errorf("of\n%s\n got %+v\nwant %+v", e.in, got, want)
	}
}
