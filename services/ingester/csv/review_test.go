package csv_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"sluice/services/ingester/csv"
)

// TestOddRowsTakeTheirOwnTimeOnly holds that a row that is not as most are costs no look at all that is at hand behind it.
func TestOddRowsTakeTheirOwnTimeOnly(t *testing.T) {
	const size, factor = 4 << 20, 150
	file := func(row string) string {
		return "a,b,c,d\n" + strings.Repeat("12345,abcdefgh,2024-01-01,text\n", 10) + strings.Repeat(row, size/len(row))
	}
	plain := fastest(t, file("12345,abcdefgh,2024-01-01,text\n"))
	for name, row := range map[string]string{
		"short rows":      "12345,abcdefgh,2024-01-01\n",
		"surplus values":  "12345,abcdefgh,2024-01-01,text,more\n",
		"stray quotes":    "12345,\"abcd\"efgh\",2024-01-01,text\n",
		"open quotes":     "12345,\"abcdefgh,2024-01-01,text\n",
		"escaped quotes":  "12345,\"abcd\\\"efgh\",2024-01-01,text\n",
		"CR as line ends": "12345,abcdefgh,2024-01-01,text\r",
	} {
		if took := fastest(t, file(row)); took > factor*plain {
			t.Errorf("%s take %s, plain rows %s", name, took, plain)
		}
	}
}

// fastest is the least time that it takes to read a file as jobs do.
func fastest(t *testing.T, text string) time.Duration {
	t.Helper()
	least := time.Hour
	for range 3 {
		began := time.Now()
		r := csv.NewReader(strings.NewReader(text), jobOptions())
		rows := csv.Rows{Data: make([]byte, 0, 256<<10)}
		for {
			full, err := r.ReadRows(&rows)
			if full {
				rows = csv.Rows{Data: rows.Data[:0]}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		least = min(least, time.Since(began))
	}
	return least
}

// jobOptions are those of a job that states nothing and may have bad rows.
func jobOptions() csv.Options {
	return csv.Options{Stated: &csv.Stated{}, Mend: true, Rescue: true, BadRows: csv.BadRows{Percent: 100}}
}
