package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sluice/services/api/refusal"
)

func TestCheckJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for body, want := range map[string]string{ // the detail, and what is told of a field
		`{}`: "", ` {"a":[1,2.5e3,"x",null,true]} `: "", `"x"`: "", `null`: "", deep(32): "", `{"a":{"a":1}}`: "", `"\ud83d\ude00"`: "",
		``:                               "the body is empty; send a JSON object",
		" \n":                            "the body is empty; send a JSON object",
		`{"a":`:                          "the body ends in the middle of the JSON",
		`{"a":"x`:                        "the body ends in the middle of the JSON",
		`{} {}`:                          "the body holds more than one JSON value: another begins at line 1, column 4",
		`{}x`:                            "the body holds more than one JSON value: another begins at line 1, column 3",
		"{\n  \"ä\": 1,\n  b}":           `the body is not valid JSON: unexpected "b" at line 3, column 3`,
		`{"ä":1,"b" 2}`:                  `the body is not valid JSON: unexpected "2" at line 1, column 12`,
		`[1,]`:                           `the body is not valid JSON: unexpected "," at line 1, column 3`,
		`{"a":"\q"}`:                     `the body is not valid JSON: an escape that stands for no character at line 1, column 7`,
		`{"a":"\ud83d"}`:                 `the body is not valid JSON: an escape that stands for no character at line 1, column 7`,
		"{\"a\":\"\x01\"}":               `the body is not valid JSON: unexpected "\x01" at line 1, column 7`,
		"\ufeff{}":                       "the body begins with a byte order mark; send it without",
		"{\"ä\":\"\xff\"}":               "the body is not valid UTF-8: line 1, column 7",
		"\xff\xfe{\x00}\x00":             "the body is not valid UTF-8: line 1, column 1",
		`{"a":1,"a":1}`:                  "a is there twice",
		`{"a":[{"b":1,"\u0062":2}]}`:     "a.0.b is there twice",
		deep(33):                         "the body is nested more than 32 deep",
		deep(100_000):                    "the body is nested more than 32 deep",
		strings.Repeat("[", 100_000):     "the body is nested more than 32 deep",
		strings.Repeat(`{"a":`, 100_000): "the body is nested more than 32 deep",
		`[` + strings.Repeat("1,", 60_000) + `1]`:       "the body has more than 50000 values",
		`{"a":{"` + strings.Repeat("x", 1025) + `":1}}`: "the body has a field with a name of more than 1024 bytes",
		`{"a":"` + strings.Repeat("x", 1025) + `"}`:     "",
		`{"a":1e401}`:                           "a is a number with too many digits",
		`{"a":1e-99999999999999999999}`:         "a is a number with too many digits",
		`{"a":` + strings.Repeat("9", 65) + `}`: "a is a number with too many digits",
	} {
		err := checkJSON([]byte(body))
		refused, _ := errors.AsType[*refusal.Error](err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%.60s: %v", body, err)
		case want != "" && (refused == nil || refused.Code != refusal.InvalidRequest || refused.Detail != want):
			t.Errorf("%.60s: %v, want %s", body, err, want)
		}
	}
}

// FuzzCheckJSON holds that what is let through is JSON to the usual reader, too, and comes back from it unchanged.
func FuzzCheckJSON(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":[1,"\u0000",null]}`, `[[[`, `{"a":1,"a":2}`, "\ufeff{}", `1e999`, `"\ud800"`, `{"url":"http://a"}`, "\xff", " 1 2"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := checkJSON(body)
		if err != nil {
			if refused, ok := errors.AsType[*refusal.Error](err); !ok || refused.Code != refusal.InvalidRequest || refused.Detail == "" {
				t.Errorf("%v", err)
			}
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Errorf("let through: %v", err)
		}
	})
}
