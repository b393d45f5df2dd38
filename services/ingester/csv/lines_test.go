package csv_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// TestLines holds that each row ends with the line that Read tells of it, however it is read, and is the same before that.
func TestLines(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			table := newRandomTable(seed)
			checkLines(t, table.text(t), table.opts, seed)
		})
	}
	for name, text := range map[string]string{
		"no rows":        "a,b\n",
		"one column":     "a\n\n1\n\n2\n",
		"no header":      "\n1,2\n3,4",
		"long rows":      "a,b\n1," + strings.Repeat("x", 20<<10) + "\n3,4\n5," + strings.Repeat("\",\"", 9<<10) + "\n7,8\n",
		"many digits":    "a,b\n" + strings.Repeat("1,2\n\n\"3\n\",4\n", 60_000),
		"surplus values": "a,b\r\n1,2\r\n\"3\r\n\",4,\"5\r\n\"\r\n6,7\r\n",
		"NULL":           "a,b\n,\n\"\",\n,\"\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkLines(t, text, csv.Options{Stated: &csv.Stated{Delimiter: new(",")}, Mend: true, Rescue: true}, 1)
		})
	}
}

func checkLines(t *testing.T, text string, opts csv.Options, seed uint64) {
	t.Helper()
	var lines []int64
	for r := csv.NewReader(strings.NewReader(text), opts); ; {
		record, err := r.Read()
		if err != nil {
			break
		}
		lines = append(lines, record.Line)
	}
	plain, _ := rowsOf(t, strings.NewReader(text), opts)
	opts.Lines = true
	for how, src := range deliveries(text, seed) {
		if len(text) > 1<<16 && how != "whole" && how != "random" {
			continue
		}
		got, read := rowsOf(t, src, opts)
		if len(read) != len(lines) || !slices.Equal(read, lines) {
			t.Errorf("%s: the lines of %d rows are %v, want those of %d: %v\nof the text %.2000q",
				how, len(read), read[:min(20, len(read))], len(lines), lines[:min(20, len(lines))], text)
		}
		if !slices.Equal(got, plain) {
			t.Errorf("%s: the rows are\n%.2000q, want\n%.2000q", how, got, plain)
		}
	}
}

// rowsOf reads a file to its end, or to where it fails, and takes the lines from the ends of the rows.
func rowsOf(t *testing.T, src io.Reader, opts csv.Options) (list []string, lines []int64) {
	t.Helper()
	r := csv.NewReader(src, opts)
	var err error
	for err == nil {
		rows, full := csv.Rows{Data: make([]byte, 0, csv.MinRows)}, false
		for err == nil && !full {
			full, err = r.ReadRows(&rows)
		}
		for row := range bytes.Lines(rows.Data) {
			row = row[:len(row)-1]
			if opts.Lines {
				at := bytes.LastIndexByte(row, rows.Delimiter)
				var line int64
				if _, err := fmt.Sscanf(string(row[at+1:]), "%d", &line); err != nil || rows.Lines != opts.Lines {
					line = -1
				}
				row, lines = row[:at], append(lines, line)
			}
			list = append(list, plainRow(t, row, rows))
		}
	}
	return list, lines
}

// plainRow writes the values of a row in the same way whether or not there is an array besides.
func plainRow(t *testing.T, row []byte, rows csv.Rows) string {
	t.Helper()
	values := decodeValues(t, row, rows)
	if last := len(values) - 1; rows.Extra && values[last] == nil {
		values = values[:last]
	}
	shown := make([]string, len(values))
	for i, v := range values {
		shown[i] = showValue(v)
	}
	return strings.Join(shown, "|")
}
