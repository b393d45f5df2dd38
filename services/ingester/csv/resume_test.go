package csv_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// mostSections is how many sections of a file are read at most.
const mostSections = 40

// checkResume holds that each section of a file is read as it is read in the whole file. As what is read before a section
// is told in numbers only, that holds for any set of sections then.
func checkResume(t *testing.T, text string, opts csv.Options, seed uint64) {
	t.Helper()
	w := readWhole(t, text, opts)
	if len(w.borders) == 0 {
		return
	}
	rnd := rand.New(rand.NewPCG(seed, 5))
	for _, s := range sectionsOf(len(w.borders), rnd) {
		from, to := s[0], s[1]
		if w.senseless(from, to) {
			continue
		}
		rest := text[w.borders[from].offset:]
		want := w.between(from, to)
		for how, src := range deliveries(rest, seed) {
			if len(rest) > 1<<16 && how != "whole" && how != "random" || rnd.IntN(3) > 0 {
				continue
			}
			if got := w.readSection(t, src, from, to); !reflect.DeepEqual(got, want) || t.Failed() {
				t.Fatalf("%s, with %+v: from border %d, byte %d, to border %d of %d: %s\nof the text %.2000q",
					how, w.dialect, from, w.borders[from].offset, to, len(w.borders)-1, got.differs(want), text)
			}
		}
	}
}

// sectionsOf are pairs of borders: all, or in a larger file any.
func sectionsOf(borders int, rnd *rand.Rand) [][2]int {
	var list [][2]int
	if borders*(borders+1)/2 <= mostSections {
		for from := range borders {
			for to := from; to < borders; to++ {
				list = append(list, [2]int{from, to})
			}
		}
		return list
	}
	list = append(list, [2]int{0, borders - 1}, [2]int{borders - 1, borders - 1})
	for len(list) < mostSections {
		from, to := rnd.IntN(borders), rnd.IntN(borders)
		if rnd.IntN(2) == 0 {
			to = from + 1 + rnd.IntN(5)
		}
		list = append(list, [2]int{min(from, to), min(max(from, to), borders-1)})
	}
	return list
}

func TestResumeGolden(t *testing.T) {
	t.Parallel()
	for group, cases := range goldenCases {
		for _, c := range cases {
			t.Run(group+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				if len(c.in) > 1<<22 {
					return // the time for each of its sections is too long
				}
				opts := production(c.set)
				checkResume(t, c.in, opts, 1)
				opts.BadRows = csv.BadRows{Count: 100}
				checkResume(t, c.in, opts, 2)
			})
		}
	}
}

func TestResumeCases(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(plainCases, quoteCases, emptyCases, byteCases, sniffCases, limitCases) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if len(c.in) > 1<<22 {
				return
			}
			opts := csv.DefaultOptions()
			checkResume(t, c.in, opts, 3)
			opts.Mend, opts.Rescue, opts.BadRows = true, true, csv.BadRows{Percent: 60}
			checkResume(t, c.in, opts, 4)
		})
	}
}

func TestResumeRandomTables(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			table := newRandomTable(seed)
			table.opts.Lines = seed%2 == 0
			checkResume(t, table.text(t), table.opts, seed)
		})
	}
}

func TestResumeAcrossBorders(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		opts := csv.DefaultOptions()
		opts.Mend, opts.Rescue, opts.BadRows = true, true, csv.BadRows{Count: 1 << 40}
		checkResume(t, mixedFile(seed, 1<<20, []string{"", "\x00", "\xFF", "\"x"}[seed]), opts, seed)
	}
}

func TestResumeRefuses(t *testing.T) {
	t.Parallel()
	columns := []events.Column{{Name: "a"}}
	for name, resume := range map[string]csv.Resume{
		"no columns":       {Dialect: events.Dialect{Encoding: "UTF-8"}, Line: 1},
		"no line":          {Dialect: events.Dialect{Encoding: "UTF-8"}, Columns: columns},
		"an end before it": {Dialect: events.Dialect{Encoding: "UTF-8"}, Columns: columns, Line: 1, Offset: 2, End: 1},
		"an encoding":      {Dialect: events.Dialect{Encoding: "ISO-2022-JP"}, Columns: columns, Line: 1},
		"a delimiter":      {Dialect: events.Dialect{Encoding: "UTF-8", Delimiter: "\n"}, Columns: columns, Line: 1},
	} {
		r := csv.NewReader(strings.NewReader("1\n"), csv.Options{Resume: &resume})
		_, err := r.Columns()
		var f *events.Failure
		if !errors.As(err, &f) || f.Code != events.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := r.Read(); again != err {
			t.Errorf("%s: then %v", name, again)
		}
	}
}

func TestResumeInAnotherFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no row ends there":    "1,2\n3,45\n",
		"one of several lines": "1,2\n3,\"\n4\"\n",
		"a rejected one":       "1,2\n3,\"4\"x\n",
		"a comment":            "1,2\n#,45\n",
		"it ends before":       "1,2\n",
	} {
		opts := csv.Options{
			Mend: true, BadRows: csv.BadRows{Count: 9},
			Resume: &csv.Resume{
				Columns: []events.Column{{Name: "a"}, {Name: "b"}}, Line: 2, Offset: 10, End: 18,
				Dialect: events.Dialect{Encoding: "UTF-8", Delimiter: ",", Quote: `"`, Comment: "#"},
			},
		}
		var err error
		rows := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
		for r := csv.NewReader(strings.NewReader(text), opts); err == nil; {
			_, err = r.ReadRows(&rows)
		}
		if err != csv.ErrMoved || rows.Count != 1 || rows.End != 14 || rows.NextLine != 3 {
			t.Errorf("%s: %v behind %d rows, up to byte %d, line %d", name, err, rows.Count, rows.End, rows.NextLine)
		}
	}
}

func TestResumable(t *testing.T) {
	t.Parallel()
	for encoding, want := range map[string]bool{
		"UTF-8": true, "UTF-16LE": true, "Shift_JIS": true, "GBK": true, "gb18030": true, "windows-1252": true,
		"ISO-2022-JP": false, "ISO-2022-KR": false, "HZ-GB-2312": false, "UTF-7": false, "": false,
	} {
		if got := csv.Resumable(events.Dialect{Encoding: encoding}); got != want {
			t.Errorf("%q is resumable: %t", encoding, got)
		}
	}
}

// TestSections holds that sections of one stream are read as those of streams of their own.
func TestSections(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		table := newRandomTable(seed)
		text := table.text(t)
		w := readWhole(t, text, table.opts)
		if len(w.borders) == 0 {
			continue
		}
		rnd := rand.New(rand.NewPCG(seed, 6))
		from := rnd.IntN(len(w.borders))
		begin := w.borders[from].offset
		stream := csv.NewSections(deliveries(text[begin:], seed)[[]string{"whole", "random", "with its EOF"}[rnd.IntN(3)]], begin)
		for from < len(w.borders) {
			to := min(from+1+rnd.IntN(9), len(w.borders)-1)
			if w.senseless(from, to) {
				break
			}
			if err := stream.Enter(w.borders[from].offset, w.resume(from, to).End); err != nil {
				t.Fatal(err)
			}
			if got, want := w.readSection(t, stream, from, to), w.between(from, to); !reflect.DeepEqual(got, want) || t.Failed() {
				t.Fatalf("%d, from border %d to %d of %d:\n got %+v\nwant %+v", seed, from, to, len(w.borders)-1, got, want)
			}
			if from = to + rnd.IntN(4); to == len(w.borders)-1 {
				break
			}
		}
	}
}

func TestSectionsOutsideOfTheStream(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if err := csv.NewSections(strings.NewReader("0123"), 10).Enter(15, 0); err != csv.ErrMoved {
		t.Errorf("behind the end: %v", err)
	}
	if err := csv.NewSections(brokenReader("0123", broken), 10).Enter(15, 0); err != broken {
		t.Errorf("behind what is broken: %v", err)
	}
	var f *events.Failure
	s := csv.NewSections(strings.NewReader("0123456"), 10)
	if err := s.Enter(9, 0); !errors.As(err, &f) {
		t.Errorf("before the start: %v", err)
	}
	if err := s.Enter(11, 12); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(s); err != nil || string(got) != "123456" || s.Ahead() != 0 {
		t.Errorf("the section and what is behind it: %q, %v, %d ahead", got, err, s.Ahead())
	}
	if err := s.Enter(13, 0); err != nil || s.Ahead() != 4 {
		t.Errorf("%d ahead, %v", s.Ahead(), err)
	}
	if got, err := io.ReadAll(s); err != nil || string(got) != "3456" {
		t.Errorf("again: %q, %v", got, err)
	}
}
