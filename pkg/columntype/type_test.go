package columntype_test

import (
	"errors"
	"strings"
	"testing"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
)

func parse(t testing.TB, stated events.ColumnType) *columntype.Type {
	t.Helper()
	is, err := columntype.Parse(stated)
	if err != nil {
		t.Fatalf("%+v: %v", stated, err)
	}
	return is
}

// verdicts are the words for them in tables.
var verdicts = map[columntype.Fit]string{columntype.Null: "NULL", columntype.Unsure: "ask", columntype.Unfit: "no"}

// told is what a type says of a value: what is sent, or the verdict.
func told(is *columntype.Type, value string) string {
	is.Fit([]byte("the one before")) // means nothing to this one
	as, fit, why := is.Fit([]byte(value))
	if (why != "") != (fit == columntype.Unfit) {
		return "a reason that does not belong there: " + why
	}
	if fit == columntype.Unsure && string(as) != value {
		return "ask " + string(as)
	}
	if verdict, ok := verdicts[fit]; ok {
		return verdict
	}
	return string(as)
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		stated events.ColumnType
		values map[string]string // what is sent for each, or NULL, ask and no
	}{
		{events.ColumnType{Type: "text"}, map[string]string{"": "", "a": "a", "é": "é"}},
		{events.ColumnType{Type: "VARCHAR (3)"}, map[string]string{"": "", "äöü": "äöü", "abcd": "no"}},
		{events.ColumnType{Type: "char"}, map[string]string{"a": "a", "ab": "no"}},
		{events.ColumnType{Type: "boolean"}, map[string]string{"t": "t", "TRUE": "TRUE", "no": "no", "0": "0", "ja": "ask", "": "ask"}},
		{events.ColumnType{Type: "bool", True: []string{"ja", "J"}, False: []string{"nein", ""}}, map[string]string{
			"ja": "t", "J": "t", "nein": "f", "": "f", "Ja": "no", "true": "no",
		}},
		{events.ColumnType{Type: "smallint"}, map[string]string{
			"32767": "32767", "-32768": "-32768", "32768": "ask", "-32769": "ask", "007": "007", "+1": "+1", "1.0": "ask", "": "ask",
			"1e3": "ask", "x": "ask", "-": "ask", "-0": "-0",
		}},
		{events.ColumnType{Type: "integer"}, map[string]string{"2147483647": "2147483647", "-2147483648": "-2147483648", "2147483648": "ask"}},
		{events.ColumnType{Type: "bigint"}, map[string]string{"999999999999999999": "999999999999999999", "9223372036854775808": "ask"}},
		{events.ColumnType{Type: "bigint", Group: ","}, map[string]string{
			"1,234": "1234", "1,234,567": "1234567", "1234": "1234", "12,34": "no", "1234,567": "no", ",123": "no", "1,": "no", "1,2345": "no",
			"-1,234": "-1234", "1.5": "no",
		}},
		{events.ColumnType{Type: "integer", Group: "."}, map[string]string{"1.234": "1234", "1.23": "no", "1,234": "no", "1e3": "no"}},
		{events.ColumnType{Type: "numeric"}, map[string]string{"1.50": "1.50", "1e400": "ask", "NaN": "ask", ".5": "ask", "5.": "ask", "": "ask"}},
		{events.ColumnType{Type: "numeric", Decimal: ","}, map[string]string{
			"1,5": "1.5", "-1,5": "-1.5", "1.5": "no", "1,5e3": "ask 1.5e3", "1,5,5": "no", "7": "7",
		}},
		{events.ColumnType{Type: "numeric(6,2)"}, map[string]string{
			"1.25": "1.25", "1.2500": "1.2500", "1.255": "no", "9999.99": "9999.99", "12345": "ask", "1.5e-2": "no", "15e-2": "ask", "1e2": "ask",
			"0.001": "no", "NaN": "ask", "x": "ask",
		}},
		{events.ColumnType{Type: "numeric(4)"}, map[string]string{"1234": "1234", "12345": "ask", "1.5": "no", "2.0": "2.0"}},
		{events.ColumnType{Type: "decimal(6,2)", Decimal: ",", Group: "."}, map[string]string{"1.234,5": "1234.5", "1.234,567": "no", "1.5": "no"}},
		{events.ColumnType{Type: "double precision"}, map[string]string{"0.1": "0.1", "1e400": "ask", "-12": "-12", "1234567890123456": "ask"}},
		{events.ColumnType{Type: "real", Group: "\u00a0", Decimal: ","}, map[string]string{"1\u00a0234,5": "1234.5"}},
		{events.ColumnType{Type: "float(3)"}, map[string]string{"1": "ask"}},
		{events.ColumnType{Type: "date"}, map[string]string{
			"2024-02-29": "2024-02-29", "2023-02-29": "ask", "2024-01-01 00:00:00": "2024-01-01",
			"2024-01-01T00:00": "2024-01-01", "2024-01-01 10:00": "no", "01/02/2024": "no", "1 Jan 2024": "no", "today": "no", "": "no",
			"2024-01-01 00:00+02": "no", "infinity": "infinity", "2024-13-01": "ask", "2024-01-01 BC": "no",
		}},
		{events.ColumnType{Type: "date", Format: "dd.mm.yyyy"}, map[string]string{
			"31.12.2024": "2024-12-31", "1.2.2024": "2024-02-01", "30.02.2024": "no", "1.2.24": "no", "2024-12-31": "no", "": "no",
		}},
		{events.ColumnType{Type: "date", Format: "YYYYMMDD"}, map[string]string{"20241231": "2024-12-31", "2024123": "no", "202412311": "no"}},
		{events.ColumnType{Type: "date", Format: "dd-Mon-yy"}, map[string]string{
			"1-JAN-69": "2069-01-01", "31-dec-70": "1970-12-31", "1-Mai-24": "no", "1-May-2024": "no",
		}},
		{events.ColumnType{Type: "date", Format: "month dd, yyyy"}, map[string]string{"September 5, 2024": "2024-09-05", "sep 5, 2024": "2024-09-05"}},
		{events.ColumnType{Type: "time"}, map[string]string{
			"10:00": "10:00", "23:59:59.123456": "23:59:59.123456", "24:00:00": "ask", "10:00:00.1234567": "no", "10:00:00+01": "no", "10": "no",
			"23:59:60": "no", "23:60:00": "ask", "2024-01-01 10:00": "no",
		}},
		{events.ColumnType{Type: "time", Format: "hh:mi am"}, map[string]string{"12:00 am": "00:00:00", "12:30 PM": "12:30:00", "13:00 am": "no"}},
		{events.ColumnType{Type: "timestamp"}, map[string]string{
			"2024-01-01 10:00:00": "2024-01-01 10:00:00", "2024-01-01": "2024-01-01", "2024-01-01T10:00:00.5": "2024-01-01T10:00:00.5",
			"2024-01-01 10:00:00Z": "no", "2024-01-01 10:00:00+02:00": "no", "2024-01-01 10:00:00.1234567": "no", "2024-01-01 10:61": "ask",
			"2024-01-01 10:00:00.1234560": "ask",
		}},
		{events.ColumnType{Type: "timestamp(0)"}, map[string]string{"2024-01-01 10:00:00.5": "no", "2024-01-01 10:00:00.0": "2024-01-01 10:00:00.0"}},
		{events.ColumnType{Type: "timestamp without time zone", Format: `yyyy-mm-dd"T"hh24:mi:ss.ff`}, map[string]string{
			"2024-01-01T10:00:00.5": "2024-01-01 10:00:00.5", "2024-01-01T24:00:00.5": "no", "2024-01-01 10:00:00.5": "no",
		}},
		{events.ColumnType{Type: "timestamptz"}, map[string]string{
			"2024-01-01 10:00:00Z": "2024-01-01 10:00:00Z", "2024-01-01 10:00+02": "2024-01-01 10:00+02", "2024-01-01 10:00:00": "no",
			"2024-01-01 10:00:00 CET": "no", "2024-01-01 10:00:00+0530": "2024-01-01 10:00:00+0530", "2024-01-01 10:00+02:60": "no", "2024-01-01 10:00+0260": "no", "2024-01-01 10:00:00+15": "no",
		}},
		{events.ColumnType{Type: "timestamp with time zone", Zone: "Europe/Berlin"}, map[string]string{
			"2024-01-01 10:00:00Z": "2024-01-01 10:00:00Z", "2024-01-01 10:00": "2024-01-01 10:00+01:00",
			"2024-07-01": "2024-07-01 00:00+02:00", "2024-12-31 24:00": "ask 2024-12-31 24:00 Europe/Berlin", "2024-03-31 02:30": "no",
			"2024-10-27 02:30:00.5": "2024-10-27 02:30:00.5+01:00", "2024-10-27 03:00": "2024-10-27 03:00+01:00",
			"1800-01-01 00:00": "1800-01-01 00:00+00:53:28", "2024-02-30 00:00": "ask 2024-02-30 00:00 Europe/Berlin",
		}},
		{events.ColumnType{Type: "timestamptz", Format: "dd/mm/yyyy hh:mi tz"}, map[string]string{
			"01/02/2024 10:00 +01:00": "2024-02-01 10:00:00+01:00", "01/02/2024 10:00 Z": "2024-02-01 10:00:00Z", "01/02/2024 10:00 ": "no",
		}},
		{events.ColumnType{Type: "timestamptz", Format: "dd/mm/yyyy hh:mi", Zone: "UTC"}, map[string]string{
			"01/02/2024 10:00": "2024-02-01 10:00:00+00:00",
		}},
		{events.ColumnType{Type: "uuid"}, map[string]string{
			"01a1ff8e-7160-7994-90cf-204ee61cbd5a": "01a1ff8e-7160-7994-90cf-204ee61cbd5a",
			"01A1FF8E-7160-7994-90CF-204EE61CBD5A": "01A1FF8E-7160-7994-90CF-204EE61CBD5A",
			"01a1ff8e71607994-90cf-204ee61cbd5a":   "ask", "": "ask", "g1a1ff8e-7160-7994-90cf-204ee61cbd5a": "ask",
		}},
		{events.ColumnType{Type: "jsonb", Null: []string{"", "-"}}, map[string]string{"": "NULL", "-": "NULL", "{}": "ask"}},
		{events.ColumnType{Type: "text", Null: []string{"n/a"}}, map[string]string{"n/a": "NULL", "N/A": "N/A"}},
		{events.ColumnType{Type: "integer[]"}, map[string]string{"{1,2}": "ask"}},
		{events.ColumnType{Type: "geo.point3d"}, map[string]string{"x": "ask"}},
	} {
		is := parse(t, tt.stated)
		for value, want := range tt.values {
			if got := told(is, value); got != want {
				t.Errorf("%+v: %q is %q, want %q", tt.stated, value, got, want)
			}
		}
	}
}

// TestSpaces holds what becomes of those around a value.
func TestSpaces(t *testing.T) {
	for _, tt := range []struct {
		stated      events.ColumnType
		value, want string
	}{
		{events.ColumnType{Type: "text"}, " a ", " a "},
		{events.ColumnType{Type: "varchar(3)"}, "abc ", "no"},
		{events.ColumnType{Type: "integer"}, " 5 ", " 5 "},
		{events.ColumnType{Type: "date"}, " 2024-02-29", "2024-02-29"},
		{events.ColumnType{Type: "date", Format: "dd.mm.yyyy"}, "31.12.2024 ", "no"},
	} {
		if got := told(parse(t, tt.stated), tt.value); got != tt.want {
			t.Errorf("%+v: %q is %q, want %q", tt.stated, tt.value, got, tt.want)
		}
	}
}

// TestExisting holds that of a table's own types no more is asked than Postgres does.
func TestExisting(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"numeric(6,2)":                {"1.25": "1.25", "1.255": "ask"},
		"date":                        {"2024-01-01": "2024-01-01", "2024-01-01 10:00": "ask", "1 Jan 2024": "ask", "": "ask"},
		"timestamp without time zone": {"2024-01-01 10:00:00": "2024-01-01 10:00:00", "2024-01-01 10:00:00+02": "2024-01-01 10:00:00+02"},
		"time without time zone":      {"10:00": "10:00", "": "ask", "   ": "ask", "2024-01-01": "ask"},
		"timestamp(0) with time zone": {"2024-01-01 10:00:00": "ask"},
		"character varying(3)":        {"abc": "abc", "abcd": "no"},
		"character(3)":                {"abc": "abc", "abcd": "no"},
		"integer":                     {"7": "7", "x": "ask"},
		`"Mood"`:                      {"sad": "ask"},
	} {
		for value, want := range values {
			if got := told(columntype.Existing(name, name), value); got != want {
				t.Errorf("%s: %q is %q, want %q", name, value, got, want)
			}
		}
	}
	if got := told(columntype.Existing("character(3)", "character(3)"), "abc  "); got != "abc  " {
		t.Errorf("spaces behind a text are %q", got)
	}
	for _, name := range []string{"text", "character varying"} {
		if columntype.Existing(name, name) != nil {
			t.Errorf("%s is looked at", name)
		}
	}
}

// TestResolve holds that what Postgres has found by a name counts, and not how that was spelled.
func TestResolve(t *testing.T) {
	for _, tt := range []struct{ stated, written, under, value, want string }{
		{"dec(6,2)", "numeric(6,2)", "numeric(6,2)", "1.239", "no"},
		{"pg_catalog.date", "date", "date", "2024-01-01 10:00", "no"},
		{"pg_catalog.timestamptz", "timestamp with time zone", "timestamp with time zone", "2024-01-01 10:00", "no"},
		{"nchar varying(3)", "character varying(3)", "character varying(3)", "abcd", "no"},
		{"price", "price", "numeric(6,2)", "1.239", "no"},
		{"price", "price", "numeric(6,2)", "1.23", "ask"},
		{"label", "label", "text", "a", "ask"},
		{"mood", `"Mood"`, `"Mood"`, "sad", "ask"},
	} {
		is := parse(t, events.ColumnType{Type: tt.stated})
		if is.Resolve(tt.written, tt.under); told(is, tt.value) != tt.want {
			t.Errorf("%s, which is %s: %q is %q, want %q", tt.stated, tt.written, tt.value, told(is, tt.value), tt.want)
		}
	}
	if columntype.Existing("label", "text") == nil {
		t.Error("a domain over text is not looked at")
	}
}

func TestParseRefuses(t *testing.T) {
	long := make([]string, 21)
	for want, list := range map[string][]events.ColumnType{
		"type": {
			{}, {Type: " "}, {Type: "int; drop table t"}, {Type: "int)"}, {Type: `"Quoted"`}, {Type: "int default 1,"}, {Type: "name"}, {Type: "a--b"},
			{Type: "numeric(1,2,3)"}, {Type: "int[5]"}, {Type: "t%type"}, {Type: strings.Repeat("x", 201)}, {Type: "int\x00"},
		},
		"format": {
			{Type: "text", Format: "dd"}, {Type: "date", Format: "dd.mm"}, {Type: "date", Format: "dd.mm.yyyy hh:mi"}, {Type: "time", Format: "mi:ss"},
			{Type: "time", Format: "dd hh:mi"}, {Type: "timestamp", Format: "dd.mm.yyyy hh:mm"}, {Type: "timestamp", Format: "dd.mm.yyyy hh:ss"},
			{Type: "timestamp", Format: "dd.mm.yyyy mi"}, {Type: "timestamp", Format: "dd.mm.yyyy hh:mi tz"}, {Type: "timestamptz", Format: "dd.mm.yyyy hh:mi"},
			{Type: "date", Format: "dd.mm.yyyyx"}, {Type: "date", Format: `dd.mm.yyyy"`}, {Type: "date", Format: `dd.mm.yyyy""`},
			{Type: "time", Format: "hh12:mi"}, {Type: "date", Format: "dd.mm.mon.yyyy"}, {Type: "date", Format: "dd.mm.yyyy am"}, {Type: "date", Format: strings.Repeat(" ", 65)},
		},
		"zone":    {{Type: "timestamp", Zone: "UTC"}, {Type: "timestamptz", Zone: "Mars/Olympus"}, {Type: "timestamptz", Zone: "Local"}, {Type: "timestamptz", Zone: "../x"}},
		"decimal": {{Type: "integer", Decimal: ","}, {Type: "numeric", Decimal: ";"}},
		"group": {
			{Type: "numeric", Group: "e"}, {Type: "numeric", Group: "+"}, {Type: "integer", Group: "0"}, {Type: "text", Group: ","}, {Type: "numeric", Group: "."}, {Type: "numeric", Group: "1"}, {Type: "numeric", Group: "-"},
			{Type: "numeric", Group: ", "}, {Type: "numeric", Decimal: ",", Group: ","}, {Type: "numeric", Group: "\n"},
		},
		"true": {
			{Type: "text", True: []string{"a"}}, {Type: "boolean", True: []string{"a"}}, {Type: "boolean", True: []string{}, False: []string{"b"}},
			{Type: "boolean", True: []string{"a"}, False: []string{"a"}}, {Type: "boolean", True: long, False: []string{"b"}},
		},
		"false": {{Type: "boolean", False: []string{"b"}}},
		"null":  {{Type: "text", Null: long}, {Type: "text", Null: []string{strings.Repeat("x", 65)}}},
	} {
		for _, stated := range list {
			_, err := columntype.Parse(stated)
			if option, ok := errors.AsType[*columntype.OptionError](err); !ok || option.Option != want {
				t.Errorf("%+v: %v, want something about %s", stated, err, want)
			}
		}
	}
}
