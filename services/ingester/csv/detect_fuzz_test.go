package csv_test

import (
	"reflect"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// FuzzDetect looks at any bytes, with some of the dialect stated, and checks what must hold of every detection.
func FuzzDetect(f *testing.F) {
	for _, group := range detectCases() {
		for _, c := range group {
			if len(c.in) < 1<<10 {
				f.Add([]byte(c.in), uint16(0), true)
				f.Add([]byte(c.in), uint16(0xB5B5), false)
			}
		}
	}
	f.Fuzz(func(t *testing.T, sample []byte, how uint16, complete bool) {
		if len(sample) > 64<<10 {
			return // it would say nothing that a shorter one does not
		}
		stated := fuzzStated(how)
		d := csv.Detect(sample, complete, stated)
		if again := csv.Detect(sample, complete, stated); !reflect.DeepEqual(again, d) {
			t.Fatalf("got %+v, and then %+v", d, again)
		}
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
		if !(d.Confidence >= 0 && d.Confidence <= 1) || d.Fields < 1 {
			t.Errorf("got the confidence %v and %d fields", d.Confidence, d.Fields)
		}
		checkStated(t, d, stated)
		text := string(sample)
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") - strings.Count(text, "\r\n") + 1
		if above := d.SkipRows + d.HeaderRows; stated.SkipRows == nil && stated.HeaderRows == 0 && stated.Header == nil && above > lines {
			t.Errorf("%d lines are skipped and %d are the header, of %d", d.SkipRows, d.HeaderRows, lines)
		}
	})
}

// fuzzStated makes what is stated out of some bits.
func fuzzStated(how uint16) csv.Stated {
	var stated csv.Stated
	if how&1 != 0 {
		stated.Delimiter = []*string{new(","), new(""), new("; "), new("||")}[how>>1&3]
	}
	if how>>3&1 != 0 {
		stated.Quote = []*string{new(`"`), new("'"), new(""), new(`"`)}[how>>4&3]
	}
	if how>>6&1 != 0 {
		stated.Escape = new("")
		if stated.Quote == nil || *stated.Quote != "" {
			stated.Escape = []*string{new(""), new(`\`), new("^"), new(`"`)}[how>>7&3]
		}
	}
	if how>>9&1 != 0 {
		stated.Header = new(how>>10&1 != 0)
	}
	if how>>11&1 != 0 && (stated.Header == nil || *stated.Header) {
		stated.HeaderRows = 2
	}
	if how>>12&1 != 0 {
		stated.SkipRows = new(int(how >> 13 & 3))
	}
	if how>>15 != 0 {
		stated.Comment = "#"
	}
	return stated
}

// checkStated checks that what is stated stands.
func checkStated(t *testing.T, d csv.Detection, stated csv.Stated) {
	t.Helper()
	ok := (stated.Delimiter == nil || d.Delimiter == *stated.Delimiter) &&
		(stated.Quote == nil || string(d.Quote) == *stated.Quote || d.Quote == 0 && *stated.Quote == "") &&
		(stated.Escape == nil || string(d.Escape) == *stated.Escape || d.Escape == 0 && *stated.Escape == "") &&
		(stated.Header == nil || d.HeaderRows > 0 == *stated.Header) &&
		(stated.HeaderRows == 0 || d.HeaderRows == stated.HeaderRows) &&
		(stated.SkipRows == nil || d.SkipRows == *stated.SkipRows) &&
		d.Comment == stated.Comment
	if !ok {
		t.Errorf("got %+v, but %+v was stated", d, stated)
	}
}
