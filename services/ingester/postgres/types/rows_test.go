package types_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/services/ingester/postgres/types"
)

// copied is rows in the text format of COPY.
func copied(table [][]*string, delimiter byte, null string) string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, string(delimiter), `\`+string(delimiter))
	var b strings.Builder
	for _, row := range table {
		for n, value := range row {
			if n > 0 {
				b.WriteByte(delimiter)
			}
			if value == nil {
				b.WriteString(null)
			} else {
				b.WriteString(escape.Replace(*value))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom([]byte("\t,;| :-\"'{")).Draw(t, "delimiter")
		null := rapid.SampledFrom([]string{"", `\N`}).Draw(t, "null")
		width, extra := rapid.IntRange(1, 6).Draw(t, "width"), rapid.Bool().Draw(t, "extra")
		length := rapid.IntRange(0, 20).Draw(t, "length")
		table := make([][]*string, length)
		want := make(types.Columns, width)
		for n := range want {
			kind := rapid.OneOf(drawColumn(), rapid.SliceOfN(drawValue(), 1, 3), rapid.Just([]string{"some text", "a\\\r\nb", "\\N"})).Draw(t, "kind")
			for row := range table {
				var value *string
				if len(kind) > 0 && rapid.IntRange(0, 5).Draw(t, "null") > 0 {
					value = &kind[rapid.IntRange(0, len(kind)-1).Draw(t, "value")]
				}
				if value != nil && *value == null {
					value = nil // there is no way to write it
				}
				if value != nil {
					want[n].Observe([]byte(*value))
				}
				table[row] = append(table[row], value)
			}
		}
		if extra {
			surplus := "{\"a" + string(delimiter) + "\"}"
			for row := range table {
				table[row] = append(table[row], &surplus)
			}
		}
		got := make(types.Columns, width)
		cut := rapid.IntRange(0, length).Draw(t, "cut")
		for _, rows := range [][][]*string{table[cut:], table[:cut]} {
			if err := got.Observe([]byte(copied(rows, delimiter, null)), delimiter, null); err != nil {
				t.Fatalf("%q: %v", copied(rows, delimiter, null), err)
			}
		}
		for n := range want {
			if got[n] != want[n] {
				t.Errorf("column %d of %q is %s, want %s", n, copied(table, delimiter, null), typeOf(got[n]), typeOf(want[n]))
			}
		}
	})
}

func TestRowsRefused(t *testing.T) {
	t.Parallel()
	for _, rows := range []string{
		"1,2", "1", "1,", "1\n", "1,2\n3\n", "1,2\\", "1,2\\\n", `1,\t` + "\n", `1,\x` + "\n", "1,2,3", "1\\,2\n", "12345678,12345678", "\n",
	} {
		if err := make(types.Columns, 2).Observe([]byte(rows), ',', ""); err == nil {
			t.Errorf("%q are rows of two columns", rows)
		}
	}
	text := types.Columns{observed("x"), observed("y")}
	if err := text.Observe([]byte("is not looked at"), ',', ""); err != nil {
		t.Error(err)
	}
}

func TestRowsOfNull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, null, want string }{
		{"\n\n", "", "text"},
		{"\n1\n", "", "smallint"},
		{"\\N\n1\n", `\N`, "smallint"},
		{"\n1\n", `\N`, "text"}, // an empty string
		{"\\\\N\n1\n", `\N`, "text"},
	} {
		columns := make(types.Columns, 1)
		if err := columns.Observe([]byte(c.rows), ',', c.null); err != nil || typeOf(columns[0]) != c.want {
			t.Errorf("%q with %q is %s, want %s: %v", c.rows, c.null, typeOf(columns[0]), c.want, err)
		}
	}
}

// TestRowsAllocate holds that values cost no memory of their own.
func TestRowsAllocate(t *testing.T) {
	row := `1,2.5,1e+20,0.12345678901234567,2024-01-01T00:00:00Z,01a1ff8e-7160-7994-90cf-204ee61cbd5a,{"a": 1\, "b": "\\n"},text` + "\n"
	for _, length := range []int{1, 1000} {
		rows, columns := []byte(strings.Repeat(row, length)), make(types.Columns, 8)
		if n := testing.AllocsPerRun(10, func() {
			if err := columns.Observe(rows, ',', ""); err != nil {
				t.Fatal(err)
			}
		}); n > 4 {
			t.Errorf("%d rows make %v allocations", length, n)
		}
		if typeOf(columns[6]) != "jsonb" {
			t.Errorf("the object is %s", typeOf(columns[6]))
		}
	}
}
