package types_test

import (
	"encoding/json"
	"testing"

	"sluice/services/ingester/postgres/types"
)

// FuzzColumn observes any bytes, alone and as rows, and joins and encodes what comes of them.
func FuzzColumn(f *testing.F) {
	for _, c := range columnCases() {
		for _, value := range c.values {
			if len(value) < 200 {
				f.Add([]byte(value), []byte(c.values[0]), byte(','))
			}
		}
	}
	f.Fuzz(func(t *testing.T, one, other []byte, delimiter byte) {
		if len(one) > 1000 || len(other) > 1000 {
			t.Skip()
		}
		a, b := observed(string(one)), observed(string(other))
		both := observed(string(other), string(one))
		if a.Join(b) != both || b.Join(a) != both || both.Join(a) != both {
			t.Errorf("%q and %q are %s together, and %s joined", one, other, typeOf(both), typeOf(a.Join(b)))
		}
		columns := types.Columns{a, b, both}
		text, err := json.Marshal(columns)
		if err != nil {
			t.Fatal(err)
		}
		var got types.Columns
		if err := json.Unmarshal(text, &got); err != nil || len(got) != 3 || got[0] != a || got[1] != b || got[2] != both {
			t.Errorf("%s of %q and %q: %v", text, one, other, err)
		}
		_ = json.Unmarshal(one, &got) // must not panic, nor may the next one
		_ = make(types.Columns, 2).Observe(one, delimiter, string(other))
		if delimiter < ' ' || delimiter >= '0' && delimiter != ';' && delimiter != '|' {
			return
		}
		first, second := string(one), string(other)
		rows := copied([][]*string{{&first, &second}, {&second, &first}}, delimiter, "")
		observed := make(types.Columns, 2)
		if err := observed.Observe([]byte(rows), delimiter, `\N`); err != nil || observed[0] != both || observed[1] != both {
			t.Errorf("%q are %s and %s, want %s: %v", rows, typeOf(observed[0]), typeOf(observed[1]), typeOf(both), err)
		}
	})
}
