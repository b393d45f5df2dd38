package csv_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// pollution is a table that was written with one mistake, or in one way that RFC 4180 does not know, after the benchmark
// Pollock (Vitagliano et al., VLDB 2023), whose kinds of files and weights these are. The table is not the benchmark's.
type pollution struct {
	name   string
	class  string  // the name without row and column
	weight float64 // how often such files were met
	input  string
	header []string // what the header and the rows say, as far as a reader can know; nil if there is none
	rows   [][]string

	delimiter    string
	quote        byte
	escape       byte
	headerRows   int
	skipRows     int
	uncertainRow bool // values of a row that is damaged beyond repair are in rows as they were meant
}

const (
	pollutedRows    = 83 // and a header
	pollutionWeight = 0.36775106082036774
)

// TestDetectPollutions checks delimiter, quote, escape, header and titles of all pollutions.
func TestDetectPollutions(t *testing.T) {
	all := 0
	for p := range pollutions() {
		all++
		d := csv.Detect([]byte(p.input), true, csv.Stated{})
		got := []any{d.Delimiter, d.Quote, d.Escape, d.HeaderRows, d.SkipRows}
		want := []any{p.delimiter, p.quote, p.escape, p.headerRows, p.skipRows}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", p.name, got, want)
		}
		// Where the header lacks a delimiter, what is left over of the rows is the empty last value.
		if fields := max(len(p.header), 1); p.header != nil && d.Fields != fields && d.Fields != 9 {
			t.Errorf("%s: got %d fields, want %d", p.name, d.Fields, fields)
		}
	}
	if all != 2290 {
		t.Errorf("there are %d pollutions", all)
	}
}

// cleanTable is what is polluted.
func cleanTable() (header []string, rows [][]string) {
	header = []string{"SOLD", "HOUR", "Pieces", "ITEMID", "Price", "ItemKind", "ItemText", "LINK", "Remarks"}
	kinds := []string{
		"Garden Bench", "Child's Kite", "Lantern, Brass", "Teapot, 12\" Tall", "Woodcutter's Axe", "Picture Frame, 8\"", "Rope",
		"Baker's Apron, Striped", "Door Mat", "Shelf, 30\" Oak, Oiled", "Painter's Easel",
	}
	texts := []string{
		"Built to outlast the winter, and light enough to carry, this one is a favourite of our neighbours.",
		"You won't find a sturdier one in town, nor one that is easier to clean.",
		"The seams are sewn twice, the edges are rounded, and the colour stays.",
		"Made by hand in a small workshop, it comes in a box of recycled card.",
		"Folds flat to 4\" and fits behind any cupboard, so nobody needs to know.",
		"It does one thing, does it well, and never asks for batteries.",
		"Our oldest design: nothing was changed since it was drawn on a napkin, and nothing had to be.",
	}
	for i := range pollutedRows {
		id := fmt.Sprintf("%c%c-%04d", 'A'+i%26, 'A'+i*7%26, 1000+i*97%9000)
		rows = append(rows, []string{
			fmt.Sprintf("%02d/%02d/2021", 1+i%28, 1+i/28),
			fmt.Sprintf("%02d:%02d", i%24, i*15%60),
			fmt.Sprint(i * 3 % 17),
			id,
			fmt.Sprintf("$%d.%02d", i*13%90, i*37%100),
			kinds[i%len(kinds)],
			texts[i%len(texts)],
			"https://shop.example/item/" + strings.ReplaceAll(id, "-", "_") + ".html",
			"",
		})
	}
	return header, rows
}

// writing is how a table is written.
type writing struct{ delimiter, quote, escape, lineEnd string }

func usual() writing { return writing{delimiter: ",", quote: `"`, escape: `"`, lineEnd: "\r\n"} }

// cells writes a row's cells: texts and links in quotes, the others where they have to be.
func (w writing) cells(row []string) []string {
	var cells []string
	for i, value := range row {
		if i == 6 || i == 7 || strings.Contains(value, ",") || strings.Contains(value, w.delimiter) || strings.Contains(value, w.quote) {
			value = w.quote + strings.ReplaceAll(value, w.quote, w.escape+w.quote) + w.quote
		}
		cells = append(cells, value)
	}
	return cells
}

func (w writing) lines(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(w.cells(row), w.delimiter) + w.lineEnd)
	}
	return b.String()
}

// pollutions are all of them, one after the other.
func pollutions() iter.Seq[pollution] {
	header, rows := cleanTable()
	return func(yield func(pollution) bool) {
		for _, p := range filePollutions(header, rows) {
			if !yield(p) {
				return
			}
		}
		for line := range pollutedRows + 1 {
			for _, p := range linePollutions(header, rows, line) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// filePollutions are those that concern a whole file.
func filePollutions(header []string, rows [][]string) []pollution {
	all := slices.Concat([][]string{header}, rows)
	source := usual().lines(all)
	headed := usual().lines(all[:1])
	data := usual().lines(rows)
	twice := make([]string, len(header))
	for i, name := range header {
		twice[i] = name + " " + name
	}
	thrice := make([]string, len(header))
	for i, name := range header {
		thrice[i] = twice[i] + " " + name
	}
	less, more := make([][]string, len(all)), make([][]string, len(all))
	for i, row := range all {
		less[i], more[i] = row[:8], append(slices.Clone(row), "")
	}
	more[0][9] = "More"
	p := func(name string, weight float64, input string, header []string, rows [][]string) pollution {
		return pollution{
			name: name, class: name, weight: weight, input: input, header: header, rows: rows,
			delimiter: ",", quote: '"', headerRows: 1,
		}
	}
	files := []pollution{
		p("source", 1, source, header, rows),
		p("file_no_payload", 15, "", nil, nil),
		p("file_no_trailing_newline", 184, strings.TrimSuffix(source, "\r\n"), header, rows),
		p("file_double_trailing_newline", 5, source+"\r\n", header, rows),
		p("file_no_header", 470, data, nil, rows),
		p("file_header_multirow_2", 47, headed+source, twice, rows),
		p("file_header_multirow_3", 47, headed+headed+source, thrice, rows),
		p("file_preamble", 282, "Stock of the year,,,,,,,,\r\n,,,,,,,,\r\n"+source, header, rows),
		p("file_multitable_same", 188.0/3, source+source, header, slices.Concat(rows, all)),
		p("file_multitable_less", 188.0/3, source+usual().lines(less), header, slices.Concat(rows, less)),
		p("file_multitable_more", 188.0/3, source+usual().lines(more), header, slices.Concat(rows, more)),
		p("file_header_only", 3, headed, header, nil),
		p("file_one_data_row", 4, usual().lines(all[:2]), header, rows[:1]),
	}
	for i := range files {
		switch f := &files[i]; f.name {
		case "file_no_payload", "file_no_header":
			f.headerRows = 0
		case "file_header_multirow_2":
			f.headerRows = 2
		case "file_header_multirow_3":
			f.headerRows = 3
		case "file_preamble":
			f.skipRows = 2
		}
	}
	for _, other := range []struct {
		name   string
		weight float64
		set    func(*writing)
	}{
		{"file_record_delimiter_0xA", 1691, func(w *writing) { w.lineEnd = "\n" }},
		{"file_record_delimiter_0xD", 7, func(w *writing) { w.lineEnd = "\r" }},
		{"file_field_delimiter_0x9", 4, func(w *writing) { w.delimiter = "\t" }},
		{"file_field_delimiter_0x3B", 834, func(w *writing) { w.delimiter = ";" }},
		{"file_field_delimiter_0x20", 4, func(w *writing) { w.delimiter = " " }},
		{"file_field_delimiter_0x2C_0x20", 101, func(w *writing) { w.delimiter = ", " }},
		{"file_quotation_char_0x27", 11, func(w *writing) { w.quote, w.escape = "'", "'" }},
		{"file_escape_char_0x5C", 1, func(w *writing) { w.escape = `\` }},
		{"file_escape_char_0x00", 7, func(w *writing) { w.escape = "" }},
	} {
		w := usual()
		other.set(&w)
		f := p(other.name, other.weight, w.lines(all), header, rows)
		f.delimiter, f.quote = w.delimiter, w.quote[0]
		if w.escape == `\` {
			f.escape = '\\'
		}
		files = append(files, f)
	}
	return files
}

// linePollutions are those of one line, the header being line 0.
func linePollutions(header []string, rows [][]string, line int) []pollution {
	all := slices.Concat([][]string{header}, rows)
	cells := usual().cells(all[line])
	above, below := usual().lines(all[:line]), usual().lines(all[line+1:])
	p := func(class string, col int, text string, row []string) pollution {
		name := fmt.Sprintf("%s_row%d_col%d", class, line, col)
		if col < 0 {
			name = fmt.Sprintf("%s_row%d", class, line)
		}
		expected := slices.Clone(all)
		expected[line] = row
		return pollution{
			name: name, class: class, weight: pollutionWeight, input: above + text + "\r\n" + below,
			header: expected[0], rows: expected[1:], delimiter: ",", quote: '"', headerRows: 1,
		}
	}
	var out []pollution
	for col, value := range all[line] {
		if col > 0 {
			// The delimiter in front of the column is missing.
			joined := slices.Concat(cells[:col-1], []string{cells[col-1] + cells[col]}, cells[col+1:])
			row := slices.Concat(all[line][:col-1], []string{all[line][col-1] + value}, all[line][col+1:])
			less := p("row_less_sep", col, strings.Join(joined, ","), row)
			less.uncertainRow = strings.Contains(joined[col-1], `"`)
			out = append(out, less)
		}
		out = append(out,
			p("row_more_sep", col, strings.Join(slices.Insert(slices.Clone(cells), col, ""), ","), slices.Insert(slices.Clone(all[line]), col, "")),
			p("row_extra_quote", col, strings.Join(withQuote(cells, col), ","), withQuote(all[line], col)),
		)
	}
	spaced := p("row_field_delimiter", -1, strings.Join(cells, " "), all[line])
	spaced.uncertainRow = true
	return append(out, spaced)
}

// withQuote has one more quote in front of a cell's value, behind the one that the cell starts with.
func withQuote(cells []string, col int) []string {
	cells = slices.Clone(cells)
	cells[col] = `"` + cells[col]
	return cells
}
