package source

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestValidatorOf(t *testing.T) {
	const date, modified = "Sun, 01 Mar 2026 12:01:00 GMT", "Sun, 01 Mar 2026 12:00:00 GMT"
	tests := []struct {
		name   string
		header http.Header
		want   Validator
	}{
		{"nothing", http.Header{}, Validator{}},
		{"strong", http.Header{"Etag": {`"a-1!#"`}}, Validator{ETag: `"a-1!#"`}},
		{"empty tag", http.Header{"Etag": {`""`}}, Validator{ETag: `""`}},
		{"weak", http.Header{"Etag": {`W/"a"`}}, Validator{}},
		{"no quotes", http.Header{"Etag": {"a"}}, Validator{}},
		{"one quote", http.Header{"Etag": {`"`}}, Validator{}},
		{"quote within", http.Header{"Etag": {`"a"b"`}}, Validator{}},
		{"space within", http.Header{"Etag": {`"a b"`}}, Validator{}},
		{"not ASCII", http.Header{"Etag": {"\"\xe4\""}}, Validator{}},
		{"two", http.Header{"Etag": {`"a"`, `"a"`}}, Validator{}},
		{"long", http.Header{"Etag": {`"` + strings.Repeat("a", maxETag) + `"`}}, Validator{}},
		{"date", http.Header{"Last-Modified": {modified}, "Date": {date}}, Validator{LastModified: modified}},
		{"date and strong tag", http.Header{"Etag": {`"a"`}, "Last-Modified": {modified}, "Date": {date}}, Validator{ETag: `"a"`}},
		{"date and weak tag", http.Header{"Etag": {`W/"a"`}, "Last-Modified": {modified}, "Date": {date}}, Validator{}},
		{"too recent", http.Header{"Last-Modified": {"Sun, 01 Mar 2026 12:00:01 GMT"}, "Date": {date}}, Validator{}},
		{"of the future", http.Header{"Last-Modified": {"Sun, 01 Mar 2026 13:00:00 GMT"}, "Date": {date}}, Validator{}},
		{"no Date", http.Header{"Last-Modified": {modified}}, Validator{}},
		{"bad Date", http.Header{"Last-Modified": {modified}, "Date": {"today"}}, Validator{}},
		{"bad date", http.Header{"Last-Modified": {"yesterday"}, "Date": {date}}, Validator{}},
		{"two dates", http.Header{"Last-Modified": {modified, modified}, "Date": {date}}, Validator{}},
	}
	at, err := parseTarget("http://files.test/f.csv?sig=secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.want.Length, test.want.Place = 7, placeOf(at)
			got := validatorOf(&http.Response{Header: test.header}, at, 7)
			if got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			text, err := json.Marshal(got)
			var back Validator
			if err != nil || json.Unmarshal(text, &back) != nil || back != got || strings.Contains(string(text), "files") {
				t.Errorf("as JSON %s, %v", text, err)
			}
		})
	}
}

func TestPlaceOf(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"http://files.test/a.csv?sig=1", "https://FILES.test:443/a.csv?sig=2#x", true},
		{"http://ann:secret@files.test/a.csv", "http://files.test/a.csv", true},
		{"http://files.test/a.csv", "http://files.test/b.csv", false},
		{"http://files.test/a.csv", "http://other.test/a.csv", false},
		{"http://files.test/a.csv", "http://files.test:8080/a.csv", false},
		{"http://files.test/a%2Fb", "http://files.test/a/b", false},
	}
	for _, test := range tests {
		a, errA := parseTarget(test.a)
		b, errB := parseTarget(test.b)
		if errA != nil || errB != nil || (placeOf(a) == placeOf(b)) != test.same {
			t.Errorf("%s and %s: same place, want %v", test.a, test.b, test.same)
		}
	}
}

func TestParseContentRange(t *testing.T) {
	tests := []struct {
		fields []string
		want   contentRange
		valid  bool
	}{
		{[]string{"bytes 0-0/1"}, contentRange{0, 0, 1}, true},
		{[]string{"Bytes 5-9/10"}, contentRange{5, 9, 10}, true},
		{[]string{"bytes 5-9/*"}, contentRange{5, 9, 0}, true},
		{nil, contentRange{}, false},
		{[]string{"bytes 5-9/10", "bytes 5-9/10"}, contentRange{}, false},
		{[]string{"bytes */10"}, contentRange{}, false},
		{[]string{"bytes 5-10/10"}, contentRange{}, false},
		{[]string{"bytes 6-5/10"}, contentRange{}, false},
		{[]string{"bytes 5-9"}, contentRange{}, false},
		{[]string{"bytes 5-/10"}, contentRange{}, false},
		{[]string{"bytes -5/10"}, contentRange{}, false},
		{[]string{"bytes +5-9/10"}, contentRange{}, false},
		{[]string{"bytes  5-9/10"}, contentRange{}, false},
		{[]string{"bytes 5-9/10/11"}, contentRange{}, false},
		{[]string{"bytes=5-9/10"}, contentRange{}, false},
		{[]string{"bytes 5-9/99999999999999999999"}, contentRange{}, false},
		{[]string{""}, contentRange{}, false},
	}
	for _, test := range tests {
		got, valid := parseContentRange(http.Header{"Content-Range": test.fields})
		if got != test.want || valid != test.valid {
			t.Errorf("%q: %+v, %v", test.fields, got, valid)
		}
	}
}

// TestProves holds when nothing of a file has to be read to know that it is the one of before.
func TestProves(t *testing.T) {
	tagged := Validator{ETag: `"1"`, Length: 5, Place: "p"}
	dated := Validator{LastModified: "Sat, 28 Nov 2026 10:00:00 GMT", Length: 5, Place: "p"}
	with := func(v Validator, change func(*Validator)) Validator { change(&v); return v }
	queried := func(v *Validator) { v.Queried = true }
	longer := func(v *Validator) { v.Length++ }
	for name, tt := range map[string]struct {
		was, now Validator
		want     bool
	}{
		"tag":                                    {tagged, tagged, true},
		"tag, without a length":                  {tagged, with(tagged, func(v *Validator) { v.Length = 0 }), true},
		"tag, another length":                    {tagged, with(tagged, longer), false},
		"another tag":                            {tagged, with(tagged, func(v *Validator) { v.ETag = `"2"` }), false},
		"tag elsewhere":                          {tagged, with(tagged, func(v *Validator) { v.Place = "q" }), false},
		"tag and date":                           {tagged, dated, false},
		"tag, compressed meanwhile":              {tagged, with(tagged, func(v *Validator) { v.Compression = "gzip" }), false},
		"tag behind a query":                     {with(tagged, queried), with(tagged, queried), true},
		"tag behind a query, and another length": {with(tagged, queried), with(with(tagged, queried), longer), false},
		"tag behind a query, of unknown length":  {Validator{ETag: `"1"`, Place: "p", Queried: true}, Validator{ETag: `"1"`, Place: "p", Queried: true}, false},
		"date":                                   {dated, dated, true},
		"date, another length":                   {dated, with(dated, longer), false},
		"another date":                           {dated, with(dated, func(v *Validator) { v.LastModified = "Sat, 28 Nov 2026 10:00:01 GMT" }), false},
		"date, not strong now":                   {dated, with(dated, func(v *Validator) { v.LastModified = "" }), false},
		"date without length":                    {with(dated, func(v *Validator) { v.Length = 0 }), with(dated, func(v *Validator) { v.Length = 0 }), false},
		"date behind a query":                    {dated, with(dated, queried), false},
		"nothing":                                {Validator{Length: 5, Place: "p"}, Validator{Length: 5, Place: "p"}, false},
	} {
		if got := tt.was.Proves(tt.now); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
