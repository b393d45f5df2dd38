package csv_test

import (
	"errors"
	"io"
	"slices"
	"strconv"
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

// TestRecount holds that rows which turn out to be bad after they were read are judged as if they had been found to be when they
// were read: in the order of the file, with those that are bad for other reasons.
func TestRecount(t *testing.T) {
	for name, tt := range map[string]struct {
		text    string
		allowed csv.BadRows
		unfit   []int // rows, from 1
		says    string
		rejects int
	}{
		"as many as may be":    {strings.Repeat("1,1\n", 10), csv.BadRows{Count: 3}, []int{1, 5, 10}, "", 3},
		"one too many":         {strings.Repeat("1,1\n", 10), csv.BadRows{Count: 2}, []int{1, 5, 6, 10}, "3 rows are bad, and max_bad_rows allows 2; the first is 1", 3},
		"one too many of both": {"1,1\n1,1,1\n1,1\n1,1,1\n1,1\n", csv.BadRows{Count: 2}, []int{3, 5}, "3 rows are bad, and max_bad_rows allows 2; the first is line 3", 3},
		"the first of both":    {"1,1\n1,1\n1,1,1\n1,1\n", csv.BadRows{Count: 1}, []int{2}, "2 rows are bad, and max_bad_rows allows 1; the first is 2", 2},
		"a percentage":         {strings.Repeat("1,1\n", 2000), csv.BadRows{Percent: 1}, rowNumbers(1981, 2000), "", 20},
		"more at the end": {
			strings.Repeat("1,1\n", 500), csv.BadRows{Percent: 1}, rowNumbers(1, 6), "6 of 500 rows are bad, and max_bad_rows allows 1%; the first is 1", 6,
		},
		"more on the way": {
			strings.Repeat("1,1\n", 30_000), csv.BadRows{Percent: 1}, rowNumbers(981, 1000), "20 of 1000 rows are bad", 20,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := csv.NewReader(strings.NewReader("a,b\n"+tt.text), csv.Options{BadRows: tt.allowed, Stated: &events.CSV{Header: new(true)}})
			if _, err := r.Columns(); err != nil {
				t.Fatal(err)
			}
			r.TellPlaces()
			rows := csv.Rows{Data: make([]byte, 0, 1<<20)}
			var err error
			for err == nil {
				_, err = r.ReadRows(&rows)
			}
			var unfit []csv.Reject
			all := map[int]csv.Place{} // by their lines
			for _, p := range rows.Places {
				all[int(p.Line)-1] = p
			}
			for _, n := range tt.unfit {
				unfit = append(unfit, csv.Reject{Line: all[n].Line, Offset: all[n].Offset, Reason: strconv.Itoa(n)})
			}
			rows.Places = slices.DeleteFunc(rows.Places, func(p csv.Place) bool {
				return slices.ContainsFunc(unfit, func(r csv.Reject) bool { return r.Offset == p.Offset })
			})
			rows.Count -= int64(len(unfit))
			why := r.Recount(&rows, unfit)
			switch f, failed := errors.AsType[*events.Failure](why); {
			case tt.says == "" && why != nil, tt.says != "" && (!failed || !strings.HasPrefix(f.Message, tt.says) || f.Code != events.CodeTooManyBadRows):
				t.Errorf("it fails with %v, want %q", why, tt.says)
			}
			if tt.rejects > 0 && len(rows.Rejects) != tt.rejects {
				t.Errorf("%d are rejected, want %d", len(rows.Rejects), tt.rejects)
			}
			if int64(len(rows.Rejects)) != r.Rejected() {
				t.Errorf("%d are rejected, and counted are %d", len(rows.Rejects), r.Rejected())
			}
		})
	}
}

func rowNumbers(from, to int) (list []int) {
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list
}
