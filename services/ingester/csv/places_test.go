package csv_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

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
