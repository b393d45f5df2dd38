package typed_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/typed"
)

// TestCheckIsWhatEachValueIs compares blocks of rows, one after the other, with what each of their values is by itself.
func TestCheckIsWhatEachValueIs(t *testing.T) {
	kinds := []events.ColumnType{
		{}, {Type: "integer", Group: "."}, {Type: "boolean", True: []string{"ja"}, False: []string{"nein"}}, {Type: "boolean"},
		{Type: "date"}, {Type: "date", Format: "dd.mm.yyyy"}, {Type: "timestamptz", Zone: "Europe/Berlin"}, {Type: "varchar(3)", Null: []string{"-"}},
		{Type: "numeric", Decimal: ",", Group: "."}, {Type: "jsonb"}, {Type: "time", Format: "hh:mi"}, {Type: "text", Null: []string{""}},
	}
	values := []string{
		"", " ", "ja", "nein", "t", "0", "7", "1.234", "1,5", "2024-01-02", " 2024-01-02", "2024-01-02 00:00:00", "2024-01-02 10:00", "03.04.2024",
		"abc", "abcd", "a\nb", "a\\b", `a"b`, "a;b", "a:b", "-", "{}", "no json", "9:05", "é",
	}
	rapid.Check(t, func(t *rapid.T) {
		types := rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 5).Draw(t, "types")
		delimiter := rapid.SampledFrom([]byte(";:- /\t")).Draw(t, "delimiter")
		null := rapid.SampledFrom([]string{"", `\N`}).Draw(t, "null")
		list := make([]typed.Column, len(types))
		for i, stated := range types {
			list[i] = typed.Column{Name: fmt.Sprint("c", i), SQL: stated.Type, NotNull: rapid.IntRange(0, 4).Draw(t, "not null") == 0}
			if stated.Type != "" {
				list[i].Type, _ = columntype.Parse(stated)
			}
		}
		first := rapid.Bool().Draw(t, "first")
		check := typed.New(typed.Config{Columns: list, Delimiter: ";", Quote: `"`, Ask: takeShort, First: first})
		if check == nil {
			return
		}
		for range 3 {
			table := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(-1, len(values)-1), len(types), len(types)), 1, 6).Draw(t, "rows")
			var data, want []byte
			var bad []int64
			for n, row := range table {
				text := encode(row, values, null, delimiter)
				data = append(data, text...)
				if sent, fits := model(row, values, types, list, null, delimiter); fits {
					want = append(want, sent...)
				} else {
					bad = append(bad, int64(10*(n+1)))
				}
			}
			rows := csv.Rows{Data: data, Delimiter: delimiter, Null: null, Count: int64(len(table))}
			for n := range table {
				rows.Places = append(rows.Places, csv.Place{Offset: int64(n), Line: int64(10 * (n + 1))})
			}
			unfit, err := check.Check(context.Background(), &rows)
			if err != nil {
				t.Fatal(err)
			}
			var lines []int64
			for _, r := range unfit {
				lines = append(lines, r.Line)
			}
			if first && len(bad) > 0 {
				if len(lines) == 0 || lines[0] != bad[0] {
					t.Fatalf("unfit are the lines %v, want first %d", lines, bad[0])
				}
				return
			}
			if string(rows.Data) != string(want) || !slices.Equal(lines, bad) {
				t.Fatalf("%q becomes\n%q without %v, want\n%q without %v", data, rows.Data, lines, want, bad)
			}
		}
	})
}

// encode writes a row in the text format of COPY; -1 is NULL.
func encode(row []int, values []string, null string, delimiter byte) []byte {
	var text []byte
	for i, v := range row {
		if i > 0 {
			text = append(text, delimiter)
		}
		if v < 0 || values[v] == "" && null == "" {
			text = append(text, null...)
		} else {
			text = csv.AppendEscaped(text, []byte(values[v]), delimiter)
		}
	}
	return append(text, '\n')
}

// model looks at each value with a type of its own.
func model(row []int, values []string, types []events.ColumnType, list []typed.Column, null string, delimiter byte) (text []byte, fits bool) {
	for i, v := range row {
		if i > 0 {
			text = append(text, delimiter)
		}
		isNull := v < 0 || values[v] == "" && null == ""
		sent := ""
		if !isNull {
			sent = values[v]
			if types[i].Type != "" {
				is, _ := columntype.Parse(types[i])
				as, fit, _ := is.Fit([]byte(sent))
				if sent = strings.Clone(string(as)); fit == columntype.Unfit || fit == columntype.Unsure && len(sent) > 5 {
					return nil, false
				}
				isNull = fit == columntype.Null
			}
		}
		switch {
		case isNull && list[i].NotNull:
			return nil, false
		case isNull:
			text = append(text, null...)
		default:
			text = csv.AppendEscaped(text, []byte(sent), delimiter)
		}
	}
	return append(text, '\n'), true
}

// takeShort is a database that takes what is not longer than five bytes.
func takeShort(_ context.Context, _ string, values []string, _ bool) (list []columntype.Refusal, err error) {
	for i, value := range values {
		if len(value) > 5 {
			list = append(list, columntype.Refusal{Place: i, Reason: "too long"})
		}
	}
	return list, nil
}
