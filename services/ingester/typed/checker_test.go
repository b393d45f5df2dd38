package typed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/typed"
)

// columns are those of the types, called a, b and so on; a type without a name takes any value.
func columns(t testing.TB, types ...events.ColumnType) (list []typed.Column) {
	t.Helper()
	for i, stated := range types {
		c := typed.Column{Name: fmt.Sprintf("%c", 'a'+i), SQL: stated.Type}
		if stated.Type != "" {
			var err error
			if c.Type, err = columntype.Parse(stated); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, c)
	}
	return list
}

// TestCheck holds what is sent instead of rows, and what is said of those that are not.
func TestCheck(t *testing.T) {
	date := events.ColumnType{Type: "date", Format: "dd.mm.yyyy"}
	number := events.ColumnType{Type: "numeric", Decimal: ",", Null: []string{"n/a"}}
	for name, tt := range map[string]struct {
		types   []events.ColumnType
		notNull []int
		null    string
		extra   bool // whether rows have surplus values
		lines   bool // whether they end with their lines
		data    string
		want    string
		rejects []string // the line, the column and the end of the reason, and what is shown of the row
	}{
		"all fit": {types: []events.ColumnType{{Type: "integer"}, {}}, data: "1;a\n2;b\n", want: "1;a\n2;b\n"},
		"others are written anew": {
			types: []events.ColumnType{date, {}, number}, data: "1.2.2024;a;1,5\n;b;n/a\n3.2.2024;c\\;d;7\n",
			want: "2024-02-01;a;1.5\n;b;\n2024-02-03;c\\;d;7\n",
		},
		"one of them in the middle": {
			types: []events.ColumnType{{Type: "integer"}, date}, data: "1;1.1.2024\nx;2.1.2024\n3;3.1.2024\n", want: "1;2024-01-01\n3;2024-01-03\n",
			rejects: []string{`20/1 integer: not so "x" = x;2.1.2024`},
		},
		"the first column at fault counts": {
			types: []events.ColumnType{{Type: "integer"}, date}, data: "x;y\n", want: "", rejects: []string{`10/1 integer: not so "x" = x;y`},
		},
		"all of them": {
			types: []events.ColumnType{date}, data: "x\n\\\\\n", want: "",
			rejects: []string{
				`10/1 date: it is not written as dd.mm.yyyy, or there is no such day = x`, `20/1 date: it is not written as dd.mm.yyyy, or there is no such day = \`,
			},
		},
		"the last and the first": {
			types: []events.ColumnType{{}, number}, data: "a;x\nb;1,5\nc;1.5\n", want: "b;1.5\n",
			rejects: []string{
				`10/2 numeric: it is no number with the decimal sign , = a;x`, `30/2 numeric: it is no number with the decimal sign , = c;1.5`,
			},
		},
		"another NULL": {
			types: []events.ColumnType{number, {Type: "integer"}}, null: `\N`, data: "\\N;\\N\nn/a;5\n1,5;\n", want: "\\N;\\N\n\\N;5\n",
			rejects: []string{`30/2 the value is an empty text, which does not fit integer; where that is to be NULL, state "null": [""] for the column = 1,5;""`},
		},
		"values with escapes": {
			types: []events.ColumnType{{Type: "varchar(3)"}, {}}, data: "a\\;b;1\na\\nb;2\n\\\\\\\\\\\\;3\na\\rbc;4\n", want: "a\\;b;1\na\\nb;2\n\\\\\\\\\\\\;3\n",
			rejects: []string{"40/1 varchar(3): it has 4 characters, and varchar(3) takes 3 = \"a\rbc\";4"},
		},
		"no NULLs": {
			types: []events.ColumnType{{}, number}, notNull: []int{0, 1}, data: "a;1\n;2\nc;n/a\n", want: "a;1\n",
			rejects: []string{
				"20/1 there is no value, and the column must have one = ;2", `30/2 the value "n/a" stands for NULL, which the column does not take = c;n/a`,
			},
		},
		"surplus values": {
			types: []events.ColumnType{date}, null: `\N`, extra: true, data: "1.1.2024;{\"a\",\"b\"}\nx;\\N\ny;{\"a\\;\\\\\"b\",NULL,\"\\\\\\\\\"}\n",
			want: "2024-01-01;{\"a\",\"b\"}\n",
			rejects: []string{
				`20/1 date: it is not written as dd.mm.yyyy, or there is no such day = x`,
				`30/1 date: it is not written as dd.mm.yyyy, or there is no such day = y;"a;""b";"";\`,
			},
		},
		"lines": {
			types: []events.ColumnType{{}, date}, lines: true, data: "a;1.1.2024;10\nb;x;20\nc;;1234567\n", want: "a;2024-01-01;10\nc;;1234567\n",
			rejects: []string{`20/2 date: it is not written as dd.mm.yyyy, or there is no such day = b;x`},
		},
		"surplus values and lines": {
			types: []events.ColumnType{date}, extra: true, lines: true, data: "1.1.2024;{\"a\"};10\nx;;20\ny;{\"b\"};30\n", want: "2024-01-01;{\"a\"};10\n",
			rejects: []string{
				`20/1 date: it is not written as dd.mm.yyyy, or there is no such day = x`,
				`30/1 date: it is not written as dd.mm.yyyy, or there is no such day = y;b`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			list := columns(t, tt.types...)
			for _, i := range tt.notNull {
				list[i].NotNull = true
			}
			check := typed.New(typed.Config{Columns: list, Delimiter: ";", Quote: `"`, Ask: refuse})
			for range 2 { // what was seen of one block means nothing to the next
				rows := rowsOf(tt.data, tt.null)
				rows.Extra, rows.Lines = tt.extra, tt.lines
				all := rows.Count
				unfit, err := check.Check(t.Context(), &rows)
				if err != nil || len(unfit) != len(tt.rejects) || rows.Count != all-int64(len(unfit)) {
					t.Fatalf("%d of %d rows do not fit, %v", len(unfit), all, err)
				}
				if string(rows.Data) != tt.want || len(rows.Places) != int(rows.Count) {
					t.Errorf("%q is sent for %q, want %q; the places are %v", rows.Data, tt.data, tt.want, rows.Places)
				}
				for i, r := range unfit {
					head := fmt.Sprintf("%d/%d ", r.Line, r.Column)
					_, reason, _ := strings.Cut(r.Reason, "): ")
					if _, said, ok := strings.Cut(reason, "does not fit "); ok && !strings.HasPrefix(reason, "the value is") {
						reason = said
					}
					if got := head + reason + " = " + r.Raw; i >= len(tt.rejects) || got != tt.rejects[i] || r.Code != events.CodeValueInvalid {
						t.Errorf("rejected with %s as\n%s, want\n%q", r.Code, got, tt.rejects)
					}
				}
			}
		})
	}
}

// rowsOf are rows that lie on the lines 10, 20 and so on.
func rowsOf(data, null string) csv.Rows {
	rows := csv.Rows{Data: []byte(data), Delimiter: ';', Null: null, Count: int64(strings.Count(data, "\n"))}
	for i := range rows.Count {
		rows.Places = append(rows.Places, csv.Place{Offset: 100 * (i + 1), Line: 10 * (i + 1)})
	}
	return rows
}

// refuse is a database that takes nothing.
func refuse(_ context.Context, _ string, values []string, _ bool) (list []columntype.Refusal, err error) {
	for i, value := range values {
		list = append(list, columntype.Refusal{Place: i, Reason: fmt.Sprintf("not so %q", value)})
	}
	return list, nil
}

func TestNothingToCheck(t *testing.T) {
	if typed.New(typed.Config{Columns: columns(t, events.ColumnType{}, events.ColumnType{Type: "text"}), Delimiter: ",", Ask: refuse}) != nil {
		t.Error("text is looked at")
	}
}

// TestDatabaseThatCannotBeAsked holds that the rows stay what they were.
func TestDatabaseThatCannotBeAsked(t *testing.T) {
	away := errors.New("away")
	check := typed.New(typed.Config{
		Columns: columns(t, events.ColumnType{Type: "jsonb"}), Delimiter: ",",
		Ask: func(context.Context, string, []string, bool) ([]columntype.Refusal, error) { return nil, away },
	})
	rows := rowsOf("{}\n", "")
	if _, err := check.Check(t.Context(), &rows); !errors.Is(err, away) || string(rows.Data) != "{}\n" || rows.Count != 1 {
		t.Errorf("%v, and %q is left", err, rows.Data)
	}
}
