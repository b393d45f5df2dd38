package csv_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// TestPartsOfAFile holds that however a file is cut off, what is read of it is the beginning of what all of it holds.
func TestPartsOfAFile(t *testing.T) {
	t.Parallel()
	const file = "name;wört\r\n\"a;\r\nb\";1\r\n;\"é \"\"q\"\"\"\r\nc\x00;2\r\nlast;3\r\n"
	read := func(src io.Reader) (rows []string, err error) {
		r := csv.NewReader(src, csv.Options{Stated: &events.CSV{Encoding: "utf-8"}, BadRows: csv.BadRows{Count: 100}, Mend: true})
		for {
			record, bad, err := r.Next()
			if err != nil {
				return rows, err
			}
			if bad != nil {
				rows = append(rows, string(bad.Code))
				continue
			}
			var row strings.Builder
			for _, value := range record.Values {
				row.Write(value)
				row.WriteByte('|')
			}
			rows = append(rows, row.String())
		}
	}
	whole, err := read(strings.NewReader(file))
	if !errors.Is(err, io.EOF) || len(whole) != 4 || whole[2] != "nul_byte" {
		t.Fatalf("all of the file is %q, %v", whole, err)
	}
	for cut := range len(file) {
		rows, err := read(io.MultiReader(strings.NewReader(file[:cut]), iotest.ErrReader(csv.ErrCut)))
		if !errors.Is(err, csv.ErrCut) {
			t.Fatalf("cut off at %d: %v", cut, err)
		}
		for n, row := range rows {
			if row != whole[n] {
				t.Errorf("cut off at %d: row %d is %q, want %q", cut, n, row, whole[n])
			}
		}
	}
}
