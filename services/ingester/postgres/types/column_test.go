package types_test

import (
	"strings"
	"testing"

	"sluice/services/ingester/postgres/types"
)

// columnCases are columns: their values, and their type with its form behind it.
func columnCases() []columnCase {
	digits := func(n int) string { return strings.Repeat("7", n) }
	return []columnCase{
		{"text", nil},
		{"text", []string{""}},
		{"text", []string{"1", ""}},
		{"text", []string{"x"}},
		{"text", []string{" 1"}},
		{"text", []string{"1 "}},

		{"boolean", []string{"true", "false"}},
		{"boolean t/f", []string{"t", "f", "t"}},
		{"text", []string{"t", "true"}},
		{"text", []string{"TRUE"}},
		{"text", []string{"True"}},
		{"text", []string{"yes"}},
		{"text", []string{"y"}},
		{"text", []string{"on"}},
		{"text", []string{"true", "1"}},
		{"smallint", []string{"0", "1"}},

		{"smallint", []string{"-32768", "32767", "0"}},
		{"integer", []string{"32768"}},
		{"integer", []string{"-32769"}},
		{"integer", []string{"2147483647", "-2147483648", "1"}},
		{"bigint", []string{"2147483648"}},
		{"bigint", []string{"-2147483649"}},
		{"bigint", []string{"9223372036854775807", "-9223372036854775808"}},
		{"numeric", []string{"9223372036854775808"}},
		{"numeric", []string{"-9223372036854775809"}},
		{"numeric", []string{"18446744073709551616"}},
		{"numeric", []string{"99999999999999999999"}},
		{"text", []string{"007"}},
		{"text", []string{"00"}},
		{"text", []string{"+1"}},
		{"text", []string{"-01"}},
		{"text", []string{"-"}},
		{"text", []string{"--1"}},
		{"text", []string{"1,000"}},
		{"text", []string{"1_000"}},
		{"text", []string{"0x1F"}},
		{"text", []string{"１"}},

		{"numeric", []string{"1.50", "2", "-0.005", "0.00"}},
		{"numeric", []string{"0." + digits(16383)}},
		{"text", []string{"0." + digits(16384)}},
		{"numeric", []string{digits(131072), "-" + digits(131072) + "." + digits(16383)}},
		{"text", []string{digits(131073)}},
		{"text", []string{digits(131073) + ".5"}},
		{"text", []string{".5"}},
		{"text", []string{"5."}},
		{"text", []string{"-.5"}},
		{"text", []string{"-0.0"}},
		{"text", []string{"1.2.3"}},
		{"text", []string{"00.5"}},
		{"text", []string{"1.50", "-0"}},
		{"text", []string{"NaN"}},
		{"text", []string{"Infinity"}},
		{"text", []string{"-Infinity"}},
		{"text", []string{"-Inf"}},

		{"double precision", []string{"1e+20", "1.5e-07", "0.1", "3", "-2.5"}},
		{"double precision", []string{"-0"}},
		{"double precision", []string{"1e+15", "999999999999999"}},
		{"text", []string{"1e+15", "1000000000000000"}},
		{"text", []string{"1e+14"}},
		{"text", []string{"1e20"}},
		{"text", []string{"1e5"}},
		{"text", []string{"1E+20"}},
		{"text", []string{"1.0e+20"}},
		{"text", []string{"10e+20"}},
		{"text", []string{"1.5e-7"}},
		{"text", []string{"1e+20", "1.50"}},
		{"text", []string{"1e+20", "9007199254740993"}},
		{"double precision", []string{"1e+20", "0.1234567890123456"}},
		{"text", []string{"1e+20", "0.12345678901234567890"}},
		{"double precision", []string{"1e-05", "0.0001"}},
		{"text", []string{"1e-05", "0.00001"}},
		{"text", []string{"1e-04"}},
		{"text", []string{"1e+23"}},                 // lies halfway between two doubles: Postgres writes another number,
		{"text", []string{"9.999999999999999e+22"}}, // which is not the shortest
		{"double precision", []string{"1.7976931348623157e+308", "2.2250738585072014e-308"}},
		{"text", []string{"1.7976931348623159e+308"}},
		{"text", []string{"1e+309"}},
		{"text", []string{"5e-324"}},
		{"text", []string{"1e-400"}},
		{"text", []string{"0e+00"}},

		{"date", []string{"2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"}},
		{"text", []string{"2023-02-29"}},
		{"text", []string{"1900-02-29"}},
		{"text", []string{"0000-01-01"}},
		{"text", []string{"2024-13-01"}},
		{"text", []string{"2024-00-01"}},
		{"text", []string{"2024-01-00"}},
		{"text", []string{"2024-04-31"}},
		{"text", []string{"2024-1-01"}},
		{"text", []string{"2024-01-1"}},
		{"text", []string{"2024/01/01"}},
		{"text", []string{"20240101", "2024-01-01"}},
		{"text", []string{"10000-01-01"}},
		{"text", []string{"2024-01-01 BC"}},
		{"text", []string{"2024-01-01", "1"}},
		{"text", []string{"2024-01-01", "2024-01-01 00:00:00"}},

		{"time", []string{"00:00:00", "23:59:59.999999", "12:34:56.5"}},
		{"time .0", []string{"12:34:56.5", "12:34:56.0"}},
		{"time .000", []string{"12:34:56.120", "12:34:56.123"}},
		{"text", []string{"12:34:56.120", "12:34:56"}},
		{"text", []string{"12:34:56.10", "12:34:56.100"}},
		{"text", []string{"24:00:00"}},
		{"text", []string{"23:59:60"}},
		{"text", []string{"23:60:00"}},
		{"text", []string{"12:34"}},
		{"text", []string{"1:02:03"}},
		{"text", []string{"12:34:56."}},
		{"text", []string{"12:34:56,5"}},
		{"text", []string{"12:34:56.1234567"}},
		{"text", []string{"12:34:56Z"}},
		{"text", []string{"12:34:56+00"}},
		{"text", []string{"12:34:56 PM"}},

		{"timestamp", []string{"2024-01-01 00:57:55", "2024-01-01 00:57:55.25"}},
		{"timestamp T", []string{"2024-01-01T00:57:55", "2024-01-01T00:57:55.25"}},
		{"timestamp .000000", []string{"2024-01-01 00:57:55.000000"}},
		{"timestamp T.00", []string{"2024-01-01T00:57:55.10"}},
		{"text", []string{"2024-01-01T00:57:55", "2024-01-01 00:57:55"}},
		{"text", []string{"2024-01-01t00:57:55"}},
		{"text", []string{"2024-01-01  00:57:55"}},
		{"text", []string{"2024-01-01 00:57"}},
		{"text", []string{"2024-01-01 24:00:00"}},
		{"text", []string{"2024-01-01 00:57:55 "}},

		{"timestamptz", []string{"2024-01-01 00:57:55+00", "2024-01-01 00:57:55.5+00"}},
		{"timestamptz Z", []string{"2024-01-01 00:57:55Z"}},
		{"timestamptz +00:00", []string{"2024-01-01 00:57:55+00:00"}},
		{"timestamptz TZ", []string{"2024-01-01T00:57:55Z", "2024-01-01T00:57:55.5Z"}},
		{"timestamptz T.000Z", []string{"2024-01-01T00:57:55.000Z"}},
		{"timestamptz T.000+00:00", []string{"2024-01-01T00:57:55.100+00:00"}},
		{"timestamptz T", []string{"2024-01-01T00:57:55+00"}},
		{"text", []string{"2024-01-01 00:57:55Z", "2024-01-01 00:57:55"}},
		{"text", []string{"2024-01-01 00:57:55Z", "2024-01-01 00:57:55+00"}},
		{"text", []string{"2024-01-01T00:57:55.000Z", "2024-01-01T00:57:55Z"}},
		{"text", []string{"2024-01-01 00:57:55+01"}},
		{"text", []string{"2024-01-01 00:57:55-00"}},
		{"text", []string{"2024-01-01 00:57:55+0000"}},
		{"text", []string{"2024-01-01 00:57:55 UTC"}},
		{"text", []string{"2024-01-01 00:57:55z"}},
		{"text", []string{"2024-01-01 Z"}},
		{"text", []string{"infinity"}},

		{"uuid", []string{"01a1ff8e-7160-7994-90cf-204ee61cbd5a", "00000000-0000-0000-0000-000000000000"}},
		{"uuid", []string{"f1a1ff8e-7160-7994-90cf-204ee61cbd5a"}},
		{"uuid upper", []string{"01A1FF8E-7160-7994-90CF-204EE61CBD5A", "00000000-0000-0000-0000-000000000000"}},
		{"uuid", []string{"12345678-1234-1234-1234-123456789012"}},
		{"uuid", []string{"2024-01-01"[:4] + "1234-1234-1234-1234-123456789012"}},
		{"text", []string{"01A1FF8E-7160-7994-90CF-204EE61CBD5A", "01a1ff8e-7160-7994-90cf-204ee61cbd5a"}},
		{"text", []string{"01a1fF8e-7160-7994-90cf-204ee61cbd5a"}},
		{"text", []string{"01a1ff8e71607994-90cf-204ee61cbd5a----"}},
		{"text", []string{"01a1ff8e-7160-7994-90cf-204ee61cbd5g"}},
		{"text", []string{"{01a1ff8e-7160-7994-90cf-204ee61cbd5a}"}},
		{"text", []string{"2024-718e-7160-7994-90cf-204ee61cbd5a"}},

		{"jsonb", []string{`{}`, `[]`, `[[]]`, `{"a": {}}`}},
		{"jsonb", []string{`{"a": 1, "b": [1.50, -2, "x", null, true, false], "aa": {"": 0}}`}},
		{"jsonb", []string{`["\"\\\b\f\n\r\t/é€𝄞\u0001\u001f"]`, "[\"\x7f\"]"}},
		{"jsonb", []string{strings.Repeat("[", 101) + strings.Repeat("]", 101)}},
		{"text", []string{strings.Repeat("[", 102) + strings.Repeat("]", 102)}},
		{"text", []string{`["` + strings.Repeat("x", 1<<20) + `"]`}},
		{"text", []string{`{"a":1}`}},
		{"text", []string{`[1,2]`}},
		{"text", []string{`[ ]`}},
		{"text", []string{`{ }`}},
		{"text", []string{`[1, 2,]`}},
		{"text", []string{`[1, ]`}},
		{"text", []string{`[1`}},
		{"text", []string{`{"a": 1`}},
		{"text", []string{`{"a": }`}},
		{"text", []string{`{"a"}`}},
		{"text", []string{`{"a": 1, }`}},
		{"text", []string{`{1: 1}`}},
		{"text", []string{`{`}},
		{"text", []string{`["`}},
		{"text", []string{`["\`}},
		{"text", []string{`["\u00`}},
		{"text", []string{`[1] `}},
		{"text", []string{`[1][]`}},
		{"text", []string{`{"b": 1, "a": 1}`}},
		{"text", []string{`{"aa": 1, "b": 1}`}},
		{"text", []string{`{"a": 1, "a": 1}`}},
		{"text", []string{`{"a\n": 1}`}}, // not compared
		{"text", []string{`[1e5]`}},
		{"text", []string{`[-0]`}},
		{"text", []string{`[01]`}},
		{"text", []string{`[-]`}},
		{"text", []string{`[nul]`}},
		{"text", []string{`[NaN]`}},
		{"text", []string{`["\u0000"]`}},
		{"text", []string{`["\u0008"]`}},
		{"text", []string{`["\u001F"]`}},
		{"text", []string{`["\u0041"]`}},
		{"text", []string{`["\ud834\udd1e"]`}},
		{"text", []string{`["\/"]`}},
		{"text", []string{"[\"\t\"]"}},
		{"text", []string{"[\"\xff\"]"}},
		{"text", []string{`"x"`}},
		{"text", []string{`null`}},
		{"text", []string{`[]`, `1`}},
	}
}

type columnCase struct {
	want   string
	values []string
}

func TestType(t *testing.T) {
	t.Parallel()
	for _, c := range columnCases() {
		if got := typeOf(observed(c.values...)); got != c.want {
			t.Errorf("%.100q is %s, want %s", c.values, got, c.want)
		}
	}
}

// TestWithin holds that a value's end is its own: nothing behind it is looked at.
func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range columnCases() {
		for _, value := range c.values {
			if len(value) > 100 {
				continue
			}
			for cut := range len(value) {
				var whole, within types.Column
				whole.Observe([]byte(value[:cut]))
				within.Observe([]byte(value)[:cut])
				if whole != within {
					t.Errorf("%q alone is %s, and %s before %q", value[:cut], typeOf(whole), typeOf(within), value[cut:])
				}
			}
		}
	}
}

func observed(values ...string) types.Column {
	var c types.Column
	for _, value := range values {
		c.Observe([]byte(value))
	}
	return c
}

func typeOf(c types.Column) string {
	name, form := c.Type()
	return strings.TrimSpace(name + " " + form)
}
