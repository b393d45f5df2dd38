package csv_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// detectCase is a file and how it is written: delimiter, quote, escape, lines to skip, rows of the header, fields.
type detectCase struct {
	name, in, want string
}

func TestDetect(t *testing.T) {
	for _, group := range detectCases() {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				d := csv.Detect([]byte(c.in), true, csv.Stated{})
				if got := showDetection(d); got != c.want {
					t.Errorf("%q:\n got %s\nwant %s", c.in, got, c.want)
				}
				if err := d.Validate(); err != nil {
					t.Error(err)
				}
				if d.Confidence < 0 || d.Confidence > 1 {
					t.Errorf("got the confidence %v", d.Confidence)
				}
			})
		}
	}
}

func detectCases() [][]detectCase {
	return [][]detectCase{
		delimiterCases, misleadingCases, textCases, quoteDetectCases, titleCases, headerDetectCases, damagedCases, worldCases,
	}
}

// showDetection leaves out the escape where there is none, and the lines to skip if there are none.
func showDetection(d csv.Detection) string {
	s := fmt.Sprintf("%q", d.Delimiter)
	if d.Quote == 0 {
		s += " none"
	} else {
		s += " " + string(rune(d.Quote))
	}
	if d.Escape != 0 {
		s += " " + string(rune(d.Escape))
	}
	if d.SkipRows > 0 {
		s += fmt.Sprintf(" skip %d", d.SkipRows)
	}
	return s + fmt.Sprintf(" header %d fields %d", d.HeaderRows, d.Fields)
}

func TestDetectStated(t *testing.T) {
	in := "Sales\nid;name;at\n#1;'Ann, B.';2020-01-01\n2;Bob;2020-02-02\n"
	for _, c := range []struct {
		name   string
		in     string
		stated csv.Stated
		want   string
	}{
		{"nothing", in, csv.Stated{}, `";" " skip 1 header 1 fields 3`},
		{"delimiter", in, csv.Stated{Delimiter: new(",")}, `"," " header 0 fields 1`},
		{"no delimiter", in, csv.Stated{Delimiter: new("")}, `"" " header 0 fields 1`},
		{"quote", in, csv.Stated{Quote: new("'")}, `";" ' skip 1 header 1 fields 3`},
		{"no quote", in, csv.Stated{Quote: new("")}, `";" none skip 1 header 1 fields 3`},
		{"escape", in, csv.Stated{Escape: new("^")}, `";" " ^ skip 1 header 1 fields 3`},
		{"no header", in, csv.Stated{Header: new(false)}, `";" " header 0 fields 3`},
		{"a header", in, csv.Stated{Header: new(true)}, `";" " skip 1 header 1 fields 3`},
		{"a header above numbers", "1,2\n3,4\n", csv.Stated{Header: new(true)}, `"," " header 1 fields 2`},
		{"rows of the header", in, csv.Stated{HeaderRows: 2}, `";" " skip 1 header 2 fields 3`},
		{"nothing to skip", in, csv.Stated{SkipRows: new(0)}, `";" " header 0 fields 3`},
		{"more to skip", in, csv.Stated{SkipRows: new(2)}, `";" ' skip 2 header 0 fields 3`},
		{"all to skip", in, csv.Stated{SkipRows: new(9)}, `"," " skip 9 header 0 fields 1`},
		{"comment", in, csv.Stated{Comment: "#"}, `";" " skip 1 header 1 fields 3`},
		{"a quote that is a candidate", "a,b;c\n1,2;3\n", csv.Stated{Quote: new(",")}, `";" , header 1 fields 2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := csv.Detect([]byte(c.in), true, c.stated)
			if got := showDetection(d); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			checkStated(t, d, c.stated)
		})
	}
}

// TestDetectCut cuts files off anywhere below the first rows: nothing but the fields of the cut row may change.
func TestDetectCut(t *testing.T) {
	header, rows := cleanTable()
	for _, w := range []writing{usual(), {delimiter: ";", quote: "'", escape: "'", lineEnd: "\n"}, {delimiter: " ", quote: `"`, escape: `\`, lineEnd: "\r"}} {
		all := append([][]string{header}, rows...)
		text := w.lines(all)
		want := showDetection(csv.Detect([]byte(text), true, csv.Stated{}))
		for end := len(w.lines(all[:8])); end < len(text); end += 41 {
			if got := showDetection(csv.Detect([]byte(text[:end]), false, csv.Stated{})); got != want {
				t.Fatalf("the first %d bytes: got %s, want %s", end, got, want)
			}
		}
	}
}

// TestDetectCutValue has the sample end in a value that is longer than all before it, and in rows below a stray quote.
func TestDetectCutValue(t *testing.T) {
	long := "id,text,n\n1,\"" + strings.Repeat("One line, and no more.\nAnother one.\n", 50)
	stray := "id,text,n\n1,\"one,2\n" + strings.Repeat("3,two,4\n", 50)
	for in, want := range map[string]string{
		long: `"," " header 1 fields 3`,
		strings.Repeat("x", 5) + ",y\n1,\"" + strings.Repeat("x\r\n", 2e4): `"," " header 1 fields 2`,
		stray:              `"," " header 1 fields 3`,
		"id,text,n\n1,\"x": `"," " header 1 fields 3`,
		"id,text,\"n":      `"," " header 1 fields 3`,
	} {
		if got := showDetection(csv.Detect([]byte(in), false, csv.Stated{})); got != want {
			t.Errorf("%.40q: got %s, want %s", in, got, want)
		}
	}
}

func TestDetectLineEnds(t *testing.T) {
	for in, want := range map[string]string{
		"": "none", "a,b": "none", "a\nb\n": "lf", "a\r\nb\r\n": "crlf", "a\rb\r": "cr", "a\r\nb\n": "mixed", "a\rb\n": "mixed", "a\r\nb\r": "mixed",
	} {
		if got := csv.Detect([]byte(in), true, csv.Stated{}).LineEnd; got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestDetectConfidence(t *testing.T) {
	confidence := func(in string, stated csv.Stated) float64 { return csv.Detect([]byte(in), true, stated).Confidence }
	plain := confidence("id,name,at\n1,Ann,2020-01-01\n2,Bob,2020-02-02\n", csv.Stated{})
	vague := confidence("Alice,Berlin\nBob,Paris\nCarol\nDave,Berlin\n", csv.Stated{})
	all := confidence("a b\nc d e\n", csv.Stated{
		Delimiter: new(","), Quote: new(`"`), Escape: new(""), Header: new(true), HeaderRows: 1, SkipRows: new(0),
	})
	if plain < 0.9 || vague > 0.6 || all != 1 {
		t.Errorf("got the confidences %.2f, %.2f and %.2f", plain, vague, all)
	}
}

// BenchmarkDetect takes samples of 64 KiB.
func BenchmarkDetect(b *testing.B) {
	header, rows := cleanTable()
	texts := benchFiles()
	texts["text"] = usual().lines(append([][]string{header}, rows...))
	texts["numbers"] = strings.Repeat("1.5,2,3,4,5,6,7,8,9,10\n", 10)
	texts["commas"] = ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
	texts["log"] = "2024-01-01 10:00:00,123 INFO [main]: started; port=80 & more | less ~ ^ # !\n"
	texts["quotes"] = "\"a,'b`c\",'d\"e',`f'g`\n"
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		sample := []byte(strings.Repeat(texts[name], 1+(64<<10)/len(texts[name])))[:64<<10]
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(sample)))
			b.ReportAllocs()
			for b.Loop() {
				csv.Detect(sample, false, csv.Stated{})
			}
		})
	}
}
