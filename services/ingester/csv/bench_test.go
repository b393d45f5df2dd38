package csv_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// benchSize is how many bytes are read at least in each round.
const benchSize = 16 << 20

func BenchmarkReader(b *testing.B) {
	taxi := "2,2024-01-01 00:57:55,2024-01-01 01:17:43,1,1.72,1,N,186,79,2,17.7,1,0.5,0,0,1,22.7,2.5"
	wide := strings.TrimSuffix(strings.Repeat(`"a value of some length","O""Neill",`, 15), ",")
	accents := strings.TrimSuffix(strings.Repeat("Zürich,größer,naïve café,", 6), ",")
	for name, row := range map[string]string{"taxi": taxi, "quoted": wide, "accents": accents} {
		header := strings.Repeat(",", 30)[:strings.Count(row, ",")] + "\n"
		text := header + strings.Repeat(row+"\n", benchSize/len(row))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := drain(csv.NewReader(strings.NewReader(text), csv.DefaultOptions())); err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}

func drain(r *csv.Reader) error {
	for {
		rec, err := r.Read()
		if err != nil {
			return err
		}
		if len(rec.Values) == 0 {
			return fmt.Errorf("a record without values")
		}
	}
}
