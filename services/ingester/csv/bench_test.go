package csv_test

import (
	stdcsv "encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// benchSize is how many bytes are read at least in each round.
const benchSize = 16 << 20

// benchFiles are files of one row, many times.
func benchFiles() map[string]string {
	files := map[string]string{}
	for name, row := range map[string]string{
		"taxi":    "2,2024-01-01 00:57:55,2024-01-01 01:17:43,1,1.72,1,N,186,79,2,17.7,1,0.5,0,0,1,22.7,2.5",
		"quoted":  strings.TrimSuffix(strings.Repeat(`"a value of some length","O""Neill",`, 15), ","),
		"empty":   strings.TrimSuffix(strings.Repeat(`"a value of some length","",`, 15), ","),
		"mixed":   `17,"Smith; John",2024-01-01,"12 Long Street` + "\n" + `Springfield",,4.5,"said ""yes""",C:\dir,` + "7",
		"accents": strings.TrimSuffix(strings.Repeat("Zürich,größer,naïve café,", 6), ","),
	} {
		header := strings.Repeat(",", strings.Count(row, ",")) + "\n"
		files[name] = header + strings.Repeat(row+"\n", benchSize/len(row))
	}
	return files
}

// BenchmarkReadRows goes from bytes to rows in the form of COPY, beside encoding/csv, which only splits records.
func BenchmarkReadRows(b *testing.B) {
	rows := csv.Rows{Data: make([]byte, 0, 256<<10)}
	for name, text := range benchFiles() {
		b.Run(name+"/sluice", func(b *testing.B) {
			measure(b, text, func() error {
				r := csv.NewReader(strings.NewReader(text), csv.DefaultOptions())
				for {
					full, err := r.ReadRows(&rows)
					if full || err != nil {
						rows = csv.Rows{Data: rows.Data[:0]}
					}
					if err != nil {
						return err
					}
				}
			})
		})
		b.Run(name+"/encoding-csv", func(b *testing.B) {
			measure(b, text, func() error {
				r := stdcsv.NewReader(strings.NewReader(text))
				r.ReuseRecord = true
				for {
					if _, err := r.Read(); err != nil {
						return err
					}
				}
			})
		})
	}
}

func measure(b *testing.B, text string, read func() error) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := read(); err != io.EOF {
			b.Fatal(fmt.Errorf("reading: %w", err))
		}
	}
}

// BenchmarkOddRows reads rows that are not as most are, beside plain ones: none should take many times as long.
func BenchmarkOddRows(b *testing.B) {
	for name, row := range map[string]string{
		"plain":           "12345,abcdefgh,2024-01-01,text\n",
		"short rows":      "12345,abcdefgh,2024-01-01\n",
		"surplus values":  "12345,abcdefgh,2024-01-01,text,more\n",
		"stray quotes":    "12345,\"abcd\"efgh\",2024-01-01,text\n",
		"open quotes":     "12345,\"abcdefgh,2024-01-01,text\n",
		"escaped quotes":  "12345,\"abcd\\\"efgh\",2024-01-01,text\n",
		"CR as line ends": "12345,abcdefgh,2024-01-01,text\r",
	} {
		text := "a,b,c,d\n" + strings.Repeat("12345,abcdefgh,2024-01-01,text\n", 10) + strings.Repeat(row, (4<<20)/len(row))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			rows := csv.Rows{Data: make([]byte, 0, 256<<10)}
			for b.Loop() {
				r := csv.NewReader(strings.NewReader(text), jobOptions())
				for {
					full, err := r.ReadRows(&rows)
					if full || err != nil {
						rows = csv.Rows{Data: rows.Data[:0]}
					}
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
