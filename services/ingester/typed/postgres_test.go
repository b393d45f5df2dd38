package typed_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"sluice/internal/testenv"
	"sluice/pkg/columntype"
	"sluice/pkg/events"
)

// expectation is how all of a value v is read for which a type is stated.
type expectation struct {
	stated events.ColumnType
	whole  string
}

func TestMain(m *testing.M) { testenv.Main(m) }

// TestPostgresTakesWhatFits holds that a real Postgres takes all values that are said to fit without asking it, and that they
// are then what they are as a larger type: nothing was rounded, cut or dropped.
func TestPostgresTakesWhatFits(t *testing.T) {
	ctx := testenv.Context(t)
	conn, err := pgx.Connect(ctx, testenv.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	var larger []expectation
	for stated, expression := range map[string]string{
		"smallint": "v::numeric", "integer": "v::numeric", "bigint": "v::numeric", "numeric": "v::numeric", "numeric(6,2)": "v::numeric",
		"numeric(3)": "v::numeric", "double precision": "v::double precision", "real": "v::real",
		"boolean": "v::boolean", "date": "v::timestamp", "time": "v::time", "timestamp": "v::timestamp", "timestamp(3)": "v::timestamp",
		"timestamptz": "v::timestamptz", "timestamptz(0)": "v::timestamptz", "uuid": "v::uuid", "varchar(5)": "v", "text": "v",
	} {
		larger = append(larger, expectation{events.ColumnType{Type: stated}, expression})
	}
	larger = append(larger,
		expectation{events.ColumnType{Type: "date", Format: "dd.mm.yyyy"}, "to_timestamp(v, 'FMDD.FMMM.YYYY')::timestamp"},
		expectation{events.ColumnType{Type: "timestamp", Format: "mm/dd/yyyy hh:mi am"}, "to_timestamp(v, 'FMMM/FMDD/YYYY FMHH:FMMI AM')::timestamp"},
		expectation{
			events.ColumnType{Type: "timestamptz", Zone: "America/New_York"},
			"CASE WHEN v ~ ':.*(Z|[+-][0-9:]+)$' THEN v::timestamptz ELSE v::timestamp AT TIME ZONE 'America/New_York' END",
		},
		expectation{events.ColumnType{Type: "numeric(8,3)", Decimal: ",", Group: "."}, "replace(replace(v, '.', ''), ',', '.')::numeric"},
	)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(drawValue(), 1, 50).Draw(t, "values")
		for _, e := range larger {
			is, err := columntype.Parse(e.stated)
			if err != nil {
				t.Fatal(err)
			}
			var fit, sent []string
			for _, value := range values {
				if as, verdict, _ := is.Fit([]byte(value)); verdict == columntype.Fits {
					fit, sent = append(fit, value), append(sent, string(as))
				}
			}
			if len(fit) == 0 {
				continue
			}
			var different []string
			kind := e.stated.Type
			if kind == "date" {
				kind = "date::timestamp"
			}
			err = conn.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce(array_agg(v || ' is ' || (s::%s)::text), '{}') FROM unnest($1::text[], $2::text[]) AS u(v, s)
				WHERE (s::%s) IS DISTINCT FROM (%s)`, kind, kind, e.whole), fit, sent).Scan(&different)
			if err != nil || len(different) > 0 {
				t.Fatalf("%+v: %q are different (%v), of %q", e.stated, different, err, sent)
			}
		}
	})
}

// drawValue makes texts that are values of some type, or nearly so.
func drawValue() *rapid.Generator[string] {
	digits := func(most int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), 1, most, -1)
	}
	number := rapid.Custom(func(t *rapid.T) string {
		n := rapid.SampledFrom([]string{"", "", "-", "+"}).Draw(t, "sign") + digits(rapid.SampledFrom([]int{2, 5, 20}).Draw(t, "size")).Draw(t, "whole")
		if separator := rapid.SampledFrom([]string{"", ".", ",", ".", "e", "e-"}).Draw(t, "separator"); separator != "" {
			n += separator + digits(4).Draw(t, "fraction")
		}
		return n
	})
	edges := rapid.SampledFrom([]string{
		"32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808", "0", "-0", "007",
		"9999.99", "9999.995", "0.004", "0.005", "1e400", "NaN", "Infinity", "t", "true", "FALSE", "no", "off", "1.234,5", "1.234,567", "12.34,5",
		"2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "24:00:00", "23:59:60", "23:59:59.9999999", "infinity", "abcde", "äöüßé", "abcde ",
		"01a1ff8e-7160-7994-90cf-204ee61cbd5a", "01A1FF8E-7160-7994-90CF-204EE61CBD5A", "", " ", "31.12.2024", "1.2.2024", "30.02.2024",
		"12/31/2024 12:00 am", "1/2/2024 11:59 PM", "2024-03-31 02:30", "2024-11-03 01:30", "2024-03-10 02:30",
	})
	moment := rapid.Custom(func(t *rapid.T) string {
		two := func(name string, most int) string { return fmt.Sprintf("%02d", rapid.IntRange(0, most).Draw(t, name)) }
		m := rapid.SampledFrom([]string{"2024", "1999", "0001", "9999"}).Draw(t, "year") + "-" + two("month", 12) + "-" + two("day", 31)
		if separator := rapid.SampledFrom([]string{"", " ", "T"}).Draw(t, "separator"); separator != "" {
			m += separator + two("hour", 24) + ":" + two("minute", 60)
			if rapid.Bool().Draw(t, "with seconds") {
				m += ":" + two("second", 60)
				if rapid.Bool().Draw(t, "with a fraction") {
					m += "." + digits(8).Draw(t, "fraction")
				}
			}
			m += rapid.SampledFrom([]string{"", "", "Z", "+00", "-05:30", "+1400", "+14:59", "+15", " CET"}).Draw(t, "zone")
		}
		return m
	})
	return rapid.OneOf(number, edges, moment, rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%d.%d.%d", rapid.IntRange(0, 32).Draw(t, "day"), rapid.IntRange(0, 13).Draw(t, "month"), rapid.IntRange(1, 9999).Draw(t, "year"))
	}))
}
