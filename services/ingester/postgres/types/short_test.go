package types_test

import (
	"math/rand/v2"
	"testing"

	"sluice/services/ingester/postgres/types"
)

// TestShort observes many short values in rows and alone.
func TestShort(t *testing.T) {
	t.Parallel()
	check := func(value string) {
		rows := make(types.Columns, 1)
		if err := rows.Observe([]byte(value+"\n\\N\n\\N\n\\N\n"), '\t', `\N`); err != nil { // the value is not the last word
			t.Fatal(err)
		}
		if want := observed(value); rows[0] != want {
			t.Errorf("%q is %s in a row, and %s alone", value, typeOf(rows[0]), typeOf(want))
		}
	}
	const characters = "019.-e:t"
	var all func(value string)
	all = func(value string) {
		check(value)
		if len(value) < 5 {
			for _, c := range characters {
				all(value + string(c))
			}
		}
	}
	all("")
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		const digits = "00000123456789......-/:;\xB0\xFF\x00"
		value := make([]byte, 4+r.IntN(6))
		for n := range value {
			value[n] = digits[r.IntN(len(digits))]
		}
		check(string(value))
	}
	for _, value := range []string{"32767", "32768", "65536", "99999", "9999999", "99999999", "0.0001", "0.00001", "0.00010", "1.00001", "0.99999"} {
		check(value)
	}
}
