package types_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sluice/services/ingester/postgres/types"
)

// benchSize is how many bytes are observed in each round.
const benchSize = 8 << 20

// benchRows are kinds of rows of one column each, but for taxi trips and wide rows of text.
func benchRows() map[string]func(r *rand.Rand) string {
	pickup := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	when := func(layout string) string {
		pickup = pickup.Add(1234567 * time.Microsecond)
		return pickup.Format(layout)
	}
	money := func(r *rand.Rand) string {
		return strings.TrimSuffix(fmt.Sprintf("%.2f", float64(r.IntN(5000))/100), "0")
	}
	passengers := strings.Split("1,1,1,2,3,", ",") // some are NULL
	return map[string]func(r *rand.Rand) string{
		"taxi": func(r *rand.Rand) string {
			values := []any{1 + r.IntN(2), when(time.DateTime), when(time.DateTime), passengers[r.IntN(len(passengers))], money(r), 1 + r.IntN(2), "N", r.IntN(265), r.IntN(265), 1 + r.IntN(2)}
			for range 8 {
				values = append(values, money(r))
			}
			var row strings.Builder
			for _, value := range values {
				fmt.Fprint(&row, value, ",")
			}
			return strings.TrimSuffix(row.String(), ",") + "\n"
		},
		"wide": func(r *rand.Rand) string {
			words := strings.Fields("the of customer address delivery invoice reference to a comment quantity warehouse überfällig")
			values := make([]string, 30)
			for n := range values {
				for range 1 + r.IntN(9) {
					values[n] += words[r.IntN(len(words))] + " "
				}
			}
			return strings.Join(values, ",") + "\n"
		},
		"small":       func(r *rand.Rand) string { return fmt.Sprintln(r.IntN(1000)) },
		"bigint":      func(r *rand.Rand) string { return fmt.Sprintln(r.Int64()) },
		"coordinates": func(r *rand.Rand) string { return fmt.Sprintf("%.6f\n", r.Float64()*180-90) },
		"doubles":     func(r *rand.Rand) string { return fmt.Sprintln(r.Float64()) },
		"moments":     func(*rand.Rand) string { return when("2006-01-02T15:04:05.000Z") + "\n" },
		"uuids": func(r *rand.Rand) string {
			return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x\n", r.Uint32(), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.Uint64N(1<<48))
		},
		"jsonb": func(r *rand.Rand) string {
			return fmt.Sprintf(`{"id": %d\, "tag": ["a"\, "bc"]\, "name": "some words"}`+"\n", r.IntN(1000))
		},
	}
}

// BenchmarkObserve observes rows whose columns have the types that they keep.
func BenchmarkObserve(b *testing.B) {
	for name, row := range benchRows() {
		r := rand.New(rand.NewPCG(1, 2))
		var rows strings.Builder
		for rows.Len() < benchSize {
			rows.WriteString(row(r))
		}
		data := []byte(rows.String())
		columns := make(types.Columns, 1+strings.Count(strings.ReplaceAll(string(data[:strings.IndexByte(string(data), '\n')]), `\,`, ""), ","))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := columns.Observe(data, ',', ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOneLeft observes one whole number behind 29 columns of text, which have to be passed over.
func BenchmarkOneLeft(b *testing.B) {
	text := []byte(strings.Repeat(strings.Repeat("some text in a column of its own,", 29)+"17\n", benchSize>>10))
	columns := make(types.Columns, 30)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := columns.Observe(text, ',', ""); err != nil {
			b.Fatal(err)
		}
	}
}
