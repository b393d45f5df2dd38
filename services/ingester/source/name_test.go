package source

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNameOf(t *testing.T) {
	tests := []struct{ url, want string }{
		{"http://h/trips.csv", "trips.csv"},
		{"http://h/a/b/trips.csv?x=y.csv#z.csv", "trips.csv"},
		{"http://h", ""},
		{"http://h/", ""},
		{"http://h/dir/", ""},
		{"http://h/a/..", ""},
		{"http://h/%2e%2e", ""},
		{"http://h/%2e%2e%2fetc%2fpasswd", ".._etc_passwd"},
		{"http://h/a%5cb.csv", "a_b.csv"},
		{"http://h/caf%C3%A9.csv", "café.csv"},
		{"http://h/a%00b%0Ac%1B%7F.csv", "abc.csv"},
		{"http://h/%E2%80%AEvsc.exe", "vsc.exe"},
		{"http://h/bad%FF%FE.csv", "bad.csv"},
		{"http://h/%20%20x%20", "x"},
		{"http://h/" + strings.Repeat("%C3%A9", 200), strings.Repeat("é", 127)},
	}
	for _, test := range tests {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := nameOf(u); got != test.want {
			t.Errorf("nameOf(%s) = %q, want %q", test.url, got, test.want)
		}
	}
}

func TestDispositionName(t *testing.T) {
	for header, want := range map[string]string{
		``:                                           "",
		`attachment`:                                 "",
		`attachment; filename=trips.csv`:             "trips.csv",
		`attachment; filename="my trips.csv"`:        "my trips.csv",
		`ATTACHMENT; FILENAME="trips.csv"`:           "trips.csv",
		`inline; filename="../../etc/passwd"`:        "passwd",
		`inline; filename="c:\\dir\\a.csv"`:          "a.csv",
		`inline; filename="a\"b.csv"`:                `a"b.csv`,
		`attachment; filename=".."`:                  "",
		`attachment; filename="dir/"`:                "",
		`attachment; filename*=UTF-8''caf%C3%A9.csv`: "café.csv",
		`attachment; filename="cafe.csv"; filename*=UTF-8''caf%C3%A9.csv`: "café.csv",
		`attachment; filename="=?utf-8?q?x?="`:                            "=?utf-8?q?x?=",
		`attachment; filename=my trips.csv`:                               "",
		"attachment; filename=\"a\x01b.csv\"":                             "ab.csv",
	} {
		if got := dispositionName(http.Header{"Content-Disposition": {header}}); got != want {
			t.Errorf("%s is the name %q, want %q", header, got, want)
		}
	}
}

func TestNameGoesByTheServer(t *testing.T) {
	url := serveText(t, ok+"Content-Disposition: attachment; filename=\"trips.csv\"\r\nContent-Length: 0\r\n\r\n")
	if name := open(t, newSource(t), url+"/download?id=5").Name(); name != "trips.csv" {
		t.Errorf("the name is %q", name)
	}
}

func TestStem(t *testing.T) {
	tests := []struct{ name, want string }{
		{"tripsdata.csv", "tripsdata"},
		{"Trips.CSV", "Trips"},
		{"trips.tsv", "trips"},
		{"trips.TxT", "trips"},
		{"trips.tab", "trips"},
		{"trips.psv.zip", "trips"},
		{"trips.csv.gz", "trips"},
		{"trips.CSV.ZST", "trips"},
		{"trips.gz", "trips"},
		{"trips.json", "trips_json"},
		{"trips.csv.csv", "trips_csv"},
		{"trips", "trips"},
		{"yellow - trips (2024).csv", "yellow_trips_2024"},
		{"a__b.csv", "a__b"},
		{"__a__.csv", "a"},
		{"2024-01.csv", "2024_01"},
		{"Ärger straße 東京.csv", "Ärger_straße_東京"},
		{"", "data"},
		{".csv", "data"},
		{".csv.gz", "data"},
		{"---.csv", "data"},
		{"\xff\xfe", "data"},
		{strings.Repeat("x", 50) + ".csv", strings.Repeat("x", 40)},
		{strings.Repeat("東", 20), strings.Repeat("東", 13)},
		{strings.Repeat("x", 39) + "-y", strings.Repeat("x", 39)},
	}
	for _, test := range tests {
		if got := Stem(test.name); got != test.want {
			t.Errorf("Stem(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

func FuzzStem(f *testing.F) {
	f.Add("trips.csv.gz")
	f.Fuzz(func(t *testing.T, name string) {
		stem := Stem(name)
		if stem == "" || len(stem) > maxStem || !utf8.ValidString(stem) || strings.Trim(stem, "_") != stem {
			t.Errorf("Stem(%q) = %q", name, stem)
		}
	})
}
