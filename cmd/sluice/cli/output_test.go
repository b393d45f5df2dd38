package cli

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"Zürich 東京 \"x\"":     "Zürich 東京 \"x\"",
		"a\tb\nc":             `a\tb\nc`,
		"\x1b[2J":             `\x1b[2J`,
		"\u202egnp.csv":       `\u202egnp.csv`,
		"\u009b31m":           `\u009b31m`,
		`back\slash and "q"`:  `back\slash and "q"`,
		"not \xff UTF-8 \x00": `not ` + "\ufffd" + ` UTF-8 \x00`,
	} {
		if got := visible(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "A", "LONGER")
	table.row("a\tb", "x")
	table.pair("none", "")
	if err := table.end(); err != nil {
		t.Fatal(err)
	}
	if want := "A     LONGER\na\\tb  x\n"; out.String() != want {
		t.Errorf("written was %q, want %q", out.String(), want)
	}
}

func TestCell(t *testing.T) {
	for value, want := range map[string]string{
		`null`: "", `"null"`: "null", `"a\"b"`: `a"b`, `1.50`: "1.50", `true`: "true", `{"a": 1}`: `{"a": 1}`, `12345678901234567890`: "12345678901234567890",
	} {
		if got := cell(json.RawMessage(value)); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if got := short("äöüß", 3); got != "äö…" {
		t.Errorf("shortened it is %q", got)
	}
}

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"24h":                       now.AddDate(0, 0, -1),
		"90m":                       now.Add(-90 * time.Minute),
		"2026-11-29T08:00:00+01:00": time.Date(2026, 11, 29, 7, 0, 0, 0, time.UTC),
		"2026-11-29":                time.Date(2026, 11, 29, 0, 0, 0, 0, time.Local),
	} {
		if got, err := parseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "2026-13-01", "12", ""} {
		if at, err := parseMoment(text, now); err == nil {
			t.Errorf("%q is taken for %s", text, at)
		}
	}
}
