package csv_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// TestPlaces holds that ReadRows tells of each row the place that Read does, however it is read.
func TestPlaces(t *testing.T) {
	long := strings.Repeat("x", 20<<10)
	for name, text := range map[string]string{
		"plain":           "a,b\n1,2\n3,4\n",
		"blank lines":     "a,b\r\n\r\n1,2\r\n\r\n\r\n3,4\r\n",
		"quotes":          "a,b\n\"1\n\n1\",2\n3,\"4\r\n4\"\n5,6\n",
		"bad ones":        "a,b\n1,2\n\x00,4\n5,6\n7,\"\x00\n\"\n9,10",
		"long ones":       "a,b\n" + long + ",2\n3,4\n\"" + long + "\n\",5\n6,7\n",
		"comments":        "a,b\n#\n1,2\n# x\n3,4\n",
		"empty strings":   "a,b\n1,\n2,\"\"\n3,\n",
		"surplus values":  "a,b\n1,2\n3,4,5\n6,7\n",
		"latin":           "\xe4,b\n\xe4\xe4\xe4,2\n\xe4,\xe4\n3,4\n",
		"many":            "a,b\n" + strings.Repeat("1,2\n\n\"3\n\",4\n", 60_000),
		"carriage return": "a,b\r1,2\r3,4\r",
	} {
		t.Run(name, func(t *testing.T) {
			options := func() csv.Options {
				return csv.Options{Rescue: true, BadRows: csv.BadRows{Count: 9}, Stated: &events.CSV{Comment: "#", Header: new(true)}}
			}
			var want []csv.Place
			for r := csv.NewReader(strings.NewReader(text), options()); ; {
				record, err := r.Read()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, csv.Place{Offset: record.Start, Line: record.Line})
			}
			for _, source := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text))} {
				r := csv.NewReader(source, options())
				if _, err := r.Columns(); err != nil {
					t.Fatal(err)
				}
				r.TellPlaces()
				var got []csv.Place
				for {
					rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
					full, err := r.ReadRows(&rows)
					for err == nil && !full {
						full, err = r.ReadRows(&rows)
					}
					if got = append(got, rows.Places...); int64(len(rows.Places)) != rows.Count {
						t.Fatalf("%d places of %d rows", len(rows.Places), rows.Count)
					}
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("the places are %v, want %v", got[:min(20, len(got))], want[:min(20, len(want))])
				}
			}
		})
	}
}

// TestDisown holds what is counted and said when rows turn out to be bad after they were read.
func TestDisown(t *testing.T) {
	text := "a\n" + strings.Repeat("1\n", 2000)
	for _, tt := range []struct {
		allowed csv.BadRows
		disown  int64
		says    string // "" if that is allowed
	}{
		{csv.BadRows{Count: 3}, 3, ""},
		{csv.BadRows{Count: 3}, 4, "4 rows are bad, and max_bad_rows allows 3; the first is why"},
		{csv.BadRows{Percent: 1}, 20, ""},
		{csv.BadRows{Percent: 1}, 21, "21 of 2000 rows are bad, and max_bad_rows allows 1%; the first is why"},
	} {
		r := csv.NewReader(strings.NewReader(text), csv.Options{BadRows: tt.allowed, Stated: &events.CSV{Header: new(true)}})
		rows := csv.Rows{Data: make([]byte, 0, 1<<20)}
		var err error
		for err == nil {
			_, err = r.ReadRows(&rows)
		}
		if !errors.Is(err, io.EOF) || rows.Count != 2000 {
			t.Fatalf("%d rows, %v", rows.Count, err)
		}
		why := r.Disown(tt.disown, "why")
		if f, ok := errors.AsType[*events.Failure](why); (tt.says != "") != ok || ok && (f.Message != tt.says || f.Code != events.CodeTooManyBadRows) {
			t.Errorf("%+v: disowning %d: %v, want %q", tt.allowed, tt.disown, why, tt.says)
		}
		if r.Rejected() != tt.disown {
			t.Errorf("%d are rejected, want %d", r.Rejected(), tt.disown)
		}
	}
}
