package typed_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/typed"
)

// BenchmarkCheck looks at a block of rows, of which each value but the last is of a type that is stated.
func BenchmarkCheck(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var data bytes.Buffer
	for n := 0; data.Len() < 240<<10; n++ {
		fmt.Fprintf(&data, "%d;%02d.%02d.2024;%d.%03d,%02d;2024-01-02 10:00:%02d;%s;name %d\n", n, 1+random.IntN(28), 1+random.IntN(12),
			random.IntN(999), random.IntN(999), random.IntN(99), random.IntN(60), []string{"ja", "nein"}[random.IntN(2)], n)
	}
	for name, types := range map[string][]events.ColumnType{
		"as Postgres writes them": {{Type: "integer"}, {}, {}, {Type: "timestamp"}, {}, {}},
		"in other forms": {
			{Type: "integer"}, {Type: "date", Format: "dd.mm.yyyy"}, {Type: "numeric(9,2)", Decimal: ",", Group: "."}, {Type: "timestamp"},
			{Type: "boolean", True: []string{"ja"}, False: []string{"nein"}}, {},
		},
	} {
		b.Run(name, func(b *testing.B) {
			check := typed.New(typed.Config{Columns: columns(b, types...), Delimiter: ";", Quote: `"`})
			b.SetBytes(int64(data.Len()))
			b.ReportAllocs()
			var memory []byte
			for b.Loop() {
				rows := csv.Rows{Data: append(memory[:0], data.Bytes()...), Delimiter: ';', Count: 1}
				if unfit, err := check.Check(context.Background(), &rows); unfit != nil || err != nil {
					b.Fatal(unfit, err)
				}
				memory = rows.Data
			}
		})
	}
}
