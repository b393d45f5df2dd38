package events_test

import (
	"encoding/json"
	"math"
	"testing"

	"sluice/pkg/events"
)

func TestBadRows(t *testing.T) {
	for _, tt := range []struct {
		text string
		want events.BadRows
		back string // what it is written as; "": as it was
	}{
		{`0`, events.BadRows{}, ""},
		{`-0`, events.BadRows{}, `0`},
		{`1`, events.BadRows{Count: 1}, ""},
		{`9223372036854775807`, events.BadRows{Count: math.MaxInt64}, ""},
		{`"2.5%"`, events.BadRows{Percent: 2.5}, ""},
		{`"2.50%"`, events.BadRows{Percent: 2.5}, `"2.5%"`},
		{`"007%"`, events.BadRows{Percent: 7}, `"7%"`},
		{`"0.000001%"`, events.BadRows{Percent: 0.000001}, ""},
		{`"100%"`, events.BadRows{Percent: 100}, ""},
		{`"100.0%"`, events.BadRows{Percent: 100}, `"100%"`},
		{`"\u0035\u0025"`, events.BadRows{Percent: 5}, `"5%"`},
	} {
		var got events.BadRows
		if err := json.Unmarshal([]byte(tt.text), &got); err != nil || got != tt.want {
			t.Errorf("%s was read as %+v (%v), want %+v", tt.text, got, err, tt.want)
		}
		back := tt.back
		if back == "" {
			back = tt.text
		}
		if written := string(encode(t, got)); written != back {
			t.Errorf("%s was written as %s, want %s", tt.text, written, back)
		}
	}
}

func TestBadRowsRefuses(t *testing.T) {
	for _, text := range []string{
		`-1`, `1.0`, `1.5`, `1e2`, `9223372036854775808`, `true`, `{}`, `[]`, `[1]`,
		`""`, `"1"`, `"%"`, `"0%"`, `"0.0%"`, `"-1%"`, `"+1%"`, `"100.1%"`, `"101%"`, `"1e1%"`, `"0x1p1%"`, `"1_0%"`,
		`"Inf%"`, `"NaN%"`, `".5%"`, `"5.%"`, `"1.2.3%"`, `"1,5%"`, `"2.5 %"`, `" 2.5%"`, `"2.5%%"`, `"2.5% "`, `"٣%"`,
	} {
		rows := events.BadRows{Count: 7}
		if err := json.Unmarshal([]byte(text), &rows); err == nil || rows != (events.BadRows{Count: 7}) {
			t.Errorf("%s was read as %+v (%v)", text, rows, err)
		}
	}
	for _, rows := range []events.BadRows{
		{Count: -1}, {Percent: -1}, {Percent: 100.1}, {Percent: math.NaN()}, {Percent: math.Inf(1)}, {Count: 1, Percent: 1},
	} {
		if text, err := json.Marshal(rows); err == nil {
			t.Errorf("%+v was written as %s", rows, text)
		}
	}
}

func TestBadRowsNull(t *testing.T) {
	rows := events.BadRows{Count: 7}
	if err := json.Unmarshal([]byte(`null`), &rows); err != nil || rows != (events.BadRows{Count: 7}) {
		t.Errorf("null was read as %+v (%v)", rows, err)
	}
}

// FuzzBadRows holds that what can be read is possible, and is read the same from what it is written as.
func FuzzBadRows(f *testing.F) {
	for _, text := range []string{`0`, `10`, `-1`, `"2.5%"`, `"100%"`, `"0%"`, `"1e1%"`, `null`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var once, again events.BadRows
		if err := json.Unmarshal(data, &once); err != nil {
			return
		}
		if once.Count < 0 || once.Percent < 0 || once.Percent > 100 || once.Count > 0 && once.Percent > 0 {
			t.Errorf("%q was read as %+v", data, once)
		}
		if err := json.Unmarshal(encode(t, once), &again); err != nil || again != once {
			t.Errorf("%q was read as %+v, and then as %+v (%v)", data, once, again, err)
		}
	})
}
