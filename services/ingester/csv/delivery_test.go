package csv_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/services/ingester/csv"
)

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

// TestDeliveryDoesNotDecideWhatIsShown rejects a row that is too long to be kept.
func TestDeliveryDoesNotDecideWhatIsShown(t *testing.T) {
	text := "a,b\n" + strings.Repeat("1,2\n", 65_500) + strings.Repeat("x", 1<<20) + "\n3,4\n"
	opts := jobOptions()
	opts.Mend, opts.Limits = false, csv.Limits{Field: 100, Row: 200} // mending would look further
	for delivery, src := range deliveries(text, 1) {
		rows := csv.Rows{Data: make([]byte, 0, 1<<20)}
		r := csv.NewReader(src, opts)
		var err error
		for err == nil {
			_, err = r.ReadRows(&rows)
		}
		if rows.Count != 65_501 || len(rows.Rejects) != 1 || len(rows.Rejects[0].Raw) != 4<<10 {
			t.Errorf("%s: %d rows, %d rejects, the first one of %d bytes (%v)",
				delivery, rows.Count, len(rows.Rejects), len(rows.Rejects[0].Raw), err)
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

// jobOptions are those of a job that states nothing and may have bad rows.
func jobOptions() csv.Options {
	return csv.Options{Stated: &csv.Stated{}, Mend: true, Rescue: true, BadRows: csv.BadRows{Percent: 100}}
}
