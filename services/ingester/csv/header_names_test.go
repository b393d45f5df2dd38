package csv

import (
	"bytes"
	"strings"
	"testing"

	"sluice/pkg/events"
)

func TestNameColumns(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	own := []string{"_extra", "_line", "_job", "_loaded_at"}
	for _, c := range []struct {
		name   string
		header string // rows end with a line feed, cells with a bar
		width  int
		o      naming
		want   string // name of each column, where there is one the rule, and the original if it is another
	}{
		{name: "no header", width: 2, want: "column_1:generated()|column_2:generated()"},
		{name: "nothing at all", want: ""},
		{name: "one row", header: "a| b |", width: 3, want: "a| b |column_3:blank()"},
		{name: "wider rows", header: "a|column_3", width: 3, want: "a|column_3|column_3_2:generated()"},
		{name: "narrower rows", header: "a|b", width: 1, want: "a|b"},

		{name: "two rows", header: "DATE|TIME\nDATE|TIME", width: 2, want: "DATE DATE|TIME TIME"},
		{name: "three rows", header: "a|b\n1|2\nx|y", width: 2, want: "a 1 x|b 2 y"},
		{name: "blank cells", header: "a||\n |b|\u00a0", width: 3, want: "a|b|column_3:blank()"},
		{name: "cells are not trimmed", header: "a |b\n1| 2", width: 2, want: "a  1|b  2"},
		{name: "rows of several lengths", header: "a\n1|2\nx|y|z", width: 4, want: "a 1 x|2 y|z|column_4:generated()"},
		{name: "joined, they are one name", header: "a|a b\nb|", width: 2, want: "a b|a b_2:duplicate(a b)"},
		{name: "joined, they are too long", header: long[:40] + "\n" + long[:40], width: 1,
			want: long[:40] + " " + long[:13] + "_66c1d692:too_long(" + long[:40] + " " + long[:40] + ")"},
		{name: "joined, they are not reserved", header: "ctid|\nx|ctid", width: 2, want: "ctid x|ctid_:reserved(ctid)"},

		{name: "snake", header: "First Name|lastName|HTTPStatus|PLZ|a_b|name", o: naming{snake: true},
			want: "first_name:snake(First Name)|last_name:snake(lastName)|http_status:snake(HTTPStatus)|plz:snake(PLZ)|a_b|name"},
		{name: "snake of several rows", header: "Total\n(in €)", o: naming{snake: true}, want: "total_in:snake(Total (in €))"},
		{name: "snake of nothing", header: "|***| |_", o: naming{snake: true},
			want: "column_1:blank()|column_2:blank(***)|column_3:blank( )|column_4:blank(_)"},
		{name: "snake of digits", header: "2024|1st Quarter|_3", o: naming{snake: true}, want: "_2024:snake(2024)|_1st_quarter:snake(1st Quarter)|_3"},
		{name: "snake of names alike", header: "First Name|first_name|FIRST-NAME", o: naming{snake: true},
			want: "first_name_2:duplicate(First Name)|first_name|first_name_3:duplicate(FIRST-NAME)"},
		{name: "snake of a reserved name", header: "CTID|xmin", o: naming{snake: true}, want: "ctid_:reserved(CTID)|xmin_:reserved(xmin)"},
		{name: "snake makes it short", header: strings.Repeat(" ", 70) + "a", o: naming{snake: true}, want: "a:snake(" + strings.Repeat(" ", 70) + "a)"},
		{name: "snake beyond ASCII", header: "Größe (cm)|ИмяКлиента|名前|Élan", o: naming{snake: true},
			want: "größe_cm:snake(Größe (cm))|имя_клиента:snake(ИмяКлиента)|名前|élan:snake(Élan)"},

		{name: "own names", header: "_extra|_LINE|_job_|_loaded_at", o: naming{taken: own},
			want: "_extra_2:reserved(_extra)|_LINE_2:reserved(_LINE)|_job_|_loaded_at_2:reserved(_loaded_at)"},
		{name: "own names twice", header: "_extra|_extra_2|_Extra", o: naming{taken: own}, want: "_extra_3:reserved(_extra)|_extra_2|_Extra_4:reserved(_Extra)"},
		{name: "nobody's names", header: "_extra|_line", want: "_extra|_line"},
		{name: "own names in snake case", header: "_extra|_Line", o: naming{snake: true, taken: own}, want: "extra:snake(_extra)|line:snake(_Line)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var header [][][]byte
			if c.header != "" {
				for row := range strings.SplitSeq(c.header, "\n") {
					header = append(header, bytes.Split([]byte(row), []byte{'|'}))
				}
			}
			columns := nameColumns(header, c.width, c.o)
			if got := showNames(columns); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			for _, column := range columns {
				if (column.Rule == "") != (column.Name == column.Original) || column.Type != "text" {
					t.Errorf("%+v", column)
				}
			}
		})
	}
}

func showNames(columns []events.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
		if c.Rule != "" {
			list[i] += ":" + c.Rule + "(" + c.Original + ")"
		}
	}
	return strings.Join(list, "|")
}

func TestSnake(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                  "",
		"a":                 "a",
		"camelCase":         "camel_case",
		"PascalCase":        "pascal_case",
		"ABCWord":           "abc_word",
		"wordABC":           "word_abc",
		"ALL_CAPS":          "all_caps",
		"ABC":               "abc",
		"a  b--c":           "a_b_c",
		" a ":               "a",
		"__a__":             "a",
		"Q1Sales":           "q1_sales",
		"H2O":               "h2o",
		"FY2020Q1":          "fy2020q1",
		"2020":              "_2020",
		"2020Sales":         "_2020_sales",
		"% of total":        "of_total",
		"e.g. Price ($)":    "e_g_price",
		"Straße":            "straße",
		"ÜberGröße":         "über_größe",
		"İl":                "il",
		"Cafe\u0301Noir":    "cafe\u0301_noir",
		"\u0301a":           "\u0301a",
		"МоскваГород":       "москва_город",
		"顧客名ID":             "顧客名id",
		"\u0967\u0968 वर्ष": "_\u0967\u0968_वर्ष",
		"m²":                "m",
		"a\nb":              "a_b",
	} {
		if got := snake(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
