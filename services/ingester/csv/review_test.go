package csv_test

import (
	"errors"
	"fmt"
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

// TestPlacesInUTF16 holds that a failure names the place of its byte where characters have two.
func TestPlacesInUTF16(t *testing.T) {
	for _, c := range []struct{ code, before, behind string }{
		{"stray_quote", "a,b\n1,2\n3,\"x", wide("\"y\n4,5\n")},
		{"bad_encoding", "a,b\n1,2\n3,\"x\"\"", "\x00\xDC" + wide("y\"\n4,5\n")},
	} {
		source := wide(c.before) + c.behind
		r := csv.NewReader(strings.NewReader(source), csv.Options{Stated: &csv.Stated{Encoding: "utf-16le"}})
		var err error
		for err == nil {
			_, err = r.Read()
		}
		want := fmt.Sprintf("%s 3:2:%d", c.code, len(wide(c.before)))
		if got, _ := showError(t, err); got != want {
			t.Errorf("it fails with %s, want %s", got, want)
		}
	}
}

// wide is ASCII in UTF-16, the lower byte first.
func wide(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// TestDeliveryDoesNotDecideWhatIsMended reads lines about as long as are mended.
func TestDeliveryDoesNotDecideWhatIsMended(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r"} {
		for _, length := range []int{64 << 10, 64<<10 + 1} {
			head, tail := `"x"y`, `",2`
			text := "a,b" + end + "1,2" + end + head + strings.Repeat("z", length-len(head+tail)) + tail + end + "3,4" + end
			var first outcome
			for delivery, src := range deliveries(text, 1) {
				opts := csv.DefaultOptions()
				opts.Mend, opts.BadRows = true, csv.BadRows{Count: 9}
				got := readAll(t, src, opts)
				if first.columns == "" {
					first = got
				}
				if got.warnings != first.warnings || len(got.records) != len(first.records) {
					t.Errorf("%s of a line of %d bytes: %d records, warnings %q, and otherwise %d, %q",
						delivery, length, len(got.records), got.warnings, len(first.records), first.warnings)
				}
			}
			if mended := first.warnings != ""; mended != (length <= 64<<10) {
				t.Errorf("a line of %d bytes that ends with %q is mended: %t", length, end, mended)
			}
		}
	}
}

// TestRowsAreNotHeldBack holds that rows are handed out that have come before one that has only begun.
func TestRowsAreNotHeldBack(t *testing.T) {
	for name, text := range map[string]string{
		"long delimiters": "n||t||u\n1||a||b\n2||a||b\n3||a||b\n4||",
		"CR as line ends": "n,t,u\r1,a,b\r2,a,b\r3,a,b\r4,",
	} {
		src := &unwaited{text: text}
		opts := jobOptions()
		opts.Ready = func(time.Duration) bool { return len(src.text) > 0 }
		r := csv.NewReader(src, opts)
		rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
		if _, err := r.ReadRows(&rows); err != nil || rows.Count != 3 {
			t.Errorf("%s: %d rows (%v)", name, rows.Count, err)
		}
	}
}

var errWaits = errors.New("the source was waited for")

// unwaited is a source that may not be waited for.
type unwaited struct{ text string }

func (e *unwaited) Read(p []byte) (int, error) {
	if e.text == "" {
		return 0, errWaits
	}
	n := copy(p, e.text)
	e.text = e.text[n:]
	return n, nil
}
