package csv_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// mixture writes files of six columns whose rows are of all kinds, so that anything may lie across any border: that of
// what is skimmed at once, of what is read at once, and of what a row may be to be skimmed.
type mixture struct {
	rnd     *rand.Rand
	text    strings.Builder
	lineEnd string
	empties bool // whether quoted empty fields may come
}

const mixedColumns = 6

func (m *mixture) pick(from ...string) string { return from[m.rnd.IntN(len(from))] }

// write appends rows until the file has a size.
func (m *mixture) write(size int) {
	for m.text.Len() < size {
		run := 1 + m.rnd.IntN(200) // rows of a kind come in runs, as they do in files
		switch m.rnd.IntN(40) {
		case 0:
			m.lineEnd, run = m.pick("\n", "\r\n"), 0
		case 1:
			m.text.WriteString(m.pick("\n", "\r\n", "\r\r", "lonely\r", "a,b\n", "\"a\",\"b\"\r\n", "1,2,3,4,5,6,,\n"))
			run = 0
		case 2:
			m.row(func() string { return m.long(16<<10, 64) })
			run = 0
		case 3:
			m.row(func() string { return m.long(32<<10, 2000) })
			run = 0
		case 4:
			if m.rnd.IntN(8) == 0 {
				m.row(func() string { return m.long(256<<10, 5000) })
			}
			run = 0
		}
		value := m.values()
		for range run {
			m.row(value)
		}
	}
}

func (m *mixture) row(value func() string) {
	for i := range mixedColumns {
		if i > 0 {
			m.text.WriteByte(',')
		}
		m.text.WriteString(value())
	}
	m.text.WriteString(m.lineEnd)
}

// long returns a value of a row that is about as long as told.
func (m *mixture) long(row, spread int) string {
	length := max(row+m.rnd.IntN(2*spread)-spread, 0) / mixedColumns
	text := strings.Repeat(m.pick("x", "é", "€", "a\tb", `\`), length)[:length]
	text = strings.ToValidUTF8(text, "?")
	return m.pick(text, `"`+text+`"`, `"`+text+`""`+"\n"+`"`)
}

// values returns a source of values of one kind.
func (m *mixture) values() func() string {
	kinds := []func() string{
		func() string { return m.pick("2024-01-01 00:57:55", "1", "17.25", "N", "some words") },
		func() string { return m.pick("plain", "", "x") },
		func() string { return m.pick(`"quoted, it is"`, `"short"`, "7", `"a value of some length"`) },
		func() string { return m.pick(`"said ""yes"""`, `""""`, `"Ann ""O"" Neill"`, "8", `"""a"`, `"a"""`) },
		func() string { return m.pick("\"two\nlines\"", "\"two\r\nlines\"", "\"\r\"", "9", "\"\n\"", `"x"`) },
		func() string { return m.pick(`C:\dir`, `"\."`, `\N`, `"\\"`, "back\\", "1") },
		func() string { return m.pick("tab\there", "\"\t\"", "10", "\"a\tb\"", "\t") },
		func() string { return m.pick("Zürich", "naïve café", `"größer, €"`, "😀", `"日本語"`) },
	}
	if m.empties {
		kinds = append(kinds, func() string { return m.pick(`""`, "", `"x"`, "11") })
	}
	if m.rnd.IntN(4) == 0 {
		return func() string { return kinds[m.rnd.IntN(len(kinds))]() }
	}
	return kinds[m.rnd.IntN(len(kinds))]
}

// mixedFile is a file of about the given size with a bad byte near its end, if there is one.
func mixedFile(seed uint64, size int, bad string) string {
	m := &mixture{rnd: rand.New(rand.NewPCG(seed, 7)), lineEnd: "\n"}
	m.text.WriteString("a,b,c,d,e,f\n")
	m.write(size * 2 / 3)
	m.empties = true
	m.write(size)
	if bad != "" {
		m.row(func() string { return "x" + bad })
		m.write(m.text.Len() + 1000)
	}
	return m.text.String()
}

func TestRowsAcrossBorders(t *testing.T) {
	bads := []string{"", "\x00", "\xFF", "\xC3", "\xED\xA0\x80", "\"x"}
	for seed := range uint64(6) {
		bad := bads[seed%uint64(len(bads))]
		t.Run(fmt.Sprintf("%d with %q", seed, bad), func(t *testing.T) {
			t.Parallel()
			text, opts := mixedFile(seed, 1<<20, bad), csv.DefaultOptions()
			records := read(t, strings.NewReader(text), int64(len(text)), text, opts)
			want := readReference(text, opts)
			want.columns, want.message = records.columns, records.message // the reference names nothing
			if !reflect.DeepEqual(records, want) {
				t.Fatalf("read differs from the reference: %s, want %s", firstDifference(records, want), want.failure)
			}
			for name, src := range bordersOf(text, seed) {
				rows := readRows(t, src, opts, int(seed%3)*5)
				if len(rows.records) != len(want.records) || rows.failure != want.failure || rows.warnings != want.warnings {
					t.Fatalf("%s: %d rows, %s, %s; want %d, %s, %s", name,
						len(rows.records), rows.failure, rows.warnings, len(want.records), want.failure, want.warnings)
				}
				expectSameRows(t, rows, records)
				if t.Failed() {
					t.Fatalf("%s differs", name)
				}
			}
		})
	}
}

func bordersOf(text string, seed uint64) map[string]io.Reader {
	random := func(longest int) io.Reader {
		return &randomReader{data: text, longest: longest, rnd: rand.New(rand.NewPCG(seed, uint64(longest)))}
	}
	return map[string]io.Reader{
		"whole": strings.NewReader(text), "with its EOF": &eofReader{data: text},
		"random": random(1 << 16), "small": random(300), "large": random(1 << 19),
	}
}

func firstDifference(a, b outcome) string {
	for i := range min(len(a.records), len(b.records)) {
		if a.records[i] != b.records[i] {
			return fmt.Sprintf("record %d is %.200s, want %.200s", i, a.records[i], b.records[i])
		}
	}
	return fmt.Sprintf("%d records, want %d; %s, %s", len(a.records), len(b.records), a.failure, a.warnings)
}

// TestRowsSlideAcrossBorders moves one row of each kind over each border, byte by byte.
func TestRowsSlideAcrossBorders(t *testing.T) {
	row := "é,\"a\"\"\r\nb\",\\,\"\",€\t,\"x\"\r\n"
	for _, border := range []int{16 << 10, 32 << 10, 256 << 10} {
		t.Run(fmt.Sprint(border), func(t *testing.T) {
			t.Parallel()
			for shift := range len(row) + 3 {
				header := "a,b,c,d,e,f\n"
				line := "1,2,3,4,5," + strings.Repeat("6", 500) + "\n"
				filler := strings.Repeat(line, (border-len(header)-shift)/len(line)-1)
				rest := border - len(header) - len(filler) - shift
				text := header + filler + "1,2,3,4,5," + strings.Repeat("6", rest-11) + "\n" + row + row
				records := read(t, strings.NewReader(text), int64(len(text)), text, csv.DefaultOptions())
				rows := readRows(t, strings.NewReader(text), csv.DefaultOptions(), 0)
				expectSameRows(t, rows, records)
				if t.Failed() || records.failure != "" {
					t.Fatalf("shifted by %d: %s", shift, records.failure)
				}
			}
		})
	}
}

// TestRowsAllocateNothing holds that memory is taken for a file, not for its rows.
func TestRowsAllocateNothing(t *testing.T) {
	for name, text := range map[string]string{
		"plain":  strings.Repeat("1,2024-01-01,some words,4,5,6\n", 1<<14),
		"quoted": strings.Repeat("1,\"said \"\"yes\"\"\",\"two\nlines\",\"\",C:\\dir,\"tab\t\"\n", 1<<14),
		"CRLF":   strings.Repeat("1,\"2\",3,4,,6\r\n", 1<<14),
		"short":  strings.Repeat("1,2\n", 1<<14),
		"CR":     strings.Repeat("1,2,3,4,5,\"\"\r", 1<<14),
	} {
		t.Run(name, func(t *testing.T) {
			text := "a,b,c,d,e,f\n" + text
			rows := csv.Rows{Data: make([]byte, 0, 256<<10)}
			allocations := testing.AllocsPerRun(3, func() {
				r := csv.NewReader(strings.NewReader(text), csv.DefaultOptions())
				for {
					full, err := r.ReadRows(&rows)
					if full || err != nil {
						rows = csv.Rows{Data: rows.Data[:0]}
					}
					if err == io.EOF {
						return
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			})
			if allocations > 100 {
				t.Errorf("%.0f allocations for %d rows", allocations, 1<<14)
			}
		})
	}
}
