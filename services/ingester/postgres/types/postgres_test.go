package types_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"sluice/internal/testenv"
	"sluice/services/ingester/postgres/types"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// server is a session of the real Postgres.
type server struct {
	ctx  context.Context
	conn *pgx.Conn
}

func connect(t *testing.T) server {
	t.Helper()
	ctx := testenv.Context(t)
	conn, err := pgx.Connect(ctx, testenv.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	s := server{ctx: ctx, conn: conn}
	// canonical is how a type writes a value, or NULL if it does not take it.
	if _, err := conn.Exec(ctx, `SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC';
		CREATE FUNCTION canonical(value text, type text) RETURNS text LANGUAGE plpgsql STABLE AS $$
		DECLARE result text;
		BEGIN
			EXECUTE format('SELECT ($1::%s)::text', type) INTO result USING value;
			RETURN result;
		EXCEPTION WHEN data_exception OR statement_too_complex OR program_limit_exceeded THEN RETURN NULL;
		END $$`); err != nil {
		t.Fatal(err)
	}
	return s
}

// all returns what an expression over the text v makes of each value.
func (s server) all(expression string, values []string) ([]*string, error) {
	rows, err := s.conn.Query(s.ctx, "SELECT "+expression+" FROM unnest($1::text[]) WITH ORDINALITY AS u(v, n) ORDER BY n", values)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[*string])
}

// restored is the expression that writes v, cast to a type, in a form, with what docs/types.md tells.
func restored(name, form string) string {
	cast := "v::" + name
	switch form {
	case "":
		return "(" + cast + ")::text"
	case "t/f":
		return "left((" + cast + ")::text, 1)"
	case "upper":
		return "upper((" + cast + ")::text)"
	}
	pattern, zone := regexp.MustCompile(`^(T?)(\.0+)?(Z|\+00:00)?$`).FindStringSubmatch(form), ""
	if name == "timestamptz" {
		cast = "(" + cast + " AT TIME ZONE 'UTC')"
		if zone = pattern[3]; zone == "" {
			zone = "+00"
		}
	}
	separator := " "
	if pattern[1] != "" {
		separator = "T"
	}
	if pattern[2] == "" {
		return "replace((" + cast + ")::text, ' ', '" + separator + "') || '" + zone + "'"
	}
	layout := fmt.Sprintf("HH24:MI:SS.FF%d", len(pattern[2])-1)
	if name != "time" {
		layout = `YYYY-MM-DD"` + separator + `"` + layout
	}
	return "to_char(" + cast + ", '" + layout + "') || '" + zone + "'"
}

// checkRestored checks that Postgres takes all values as the type that they fit each alone, and that they are what it and
// the form's name lead back to.
func (s server) checkRestored(t rapid.TB, values []string) {
	t.Helper()
	byType := map[[2]string][]string{}
	for _, value := range values {
		if name, form := observed(value).Type(); name != "text" {
			byType[[2]string{name, form}] = append(byType[[2]string{name, form}], value)
		}
	}
	for typed, values := range byType {
		got, err := s.all(restored(typed[0], typed[1]), values)
		if err != nil {
			t.Fatalf("%q: %.1000q: %v", typed, values, err)
		}
		for n, value := range values {
			if got[n] == nil || *got[n] != value {
				t.Errorf("%.200q is %q, and comes back as %.200q", value, typed, *got[n])
			}
		}
	}
}

// checkComplete checks that a value alone gets the first of all types that keep it, but for those that docs/types.md excepts.
func (s server) checkComplete(t rapid.TB, values []string) {
	t.Helper()
	want := make([]string, len(values))
	for _, name := range []string{
		"smallint", "integer", "bigint", "numeric", "double precision", "boolean", "date", "time", "timestamp", "timestamptz", "uuid", "jsonb",
	} {
		got, err := s.all("canonical(v, '"+name+"')", values)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n, value := range values {
			if want[n] == "" && got[n] != nil && *got[n] == value {
				want[n] = name
			}
		}
	}
	for n, value := range values {
		name, form := observed(value).Type()
		switch {
		case form != "": // is checkRestored's
		case name == "text" && (want[n] == "" || excepted(want[n], value)):
		case name != want[n]:
			t.Errorf("%.200q is %s, want %s", value, name, want[n])
		}
	}
}

// excepted reports whether a value may be text although the type keeps it.
func excepted(name, value string) bool {
	switch name {
	case "numeric", "double precision":
		f, err := strconv.ParseFloat(value, 64)
		subnormal, shortest := math.Abs(f) < 0x1p-1022, strconv.FormatFloat(f, 'e', -1, 64)
		return err != nil || math.IsNaN(f) || math.IsInf(f, 0) || name == "double precision" && (subnormal || len(shortest) < len(value))
	case "date", "timestamp", "timestamptz": // infinity, and years before 1 or behind 9999
		return value == "infinity" || value == "-infinity" || strings.HasSuffix(value, " BC") || value[4] != '-'
	case "time":
		return value == "24:00:00"
	case "jsonb": // scalars, keys with escapes, and what is too deep or too long
		return value[0] != '{' && value[0] != '[' || regexp.MustCompile(`\\.*": `).MatchString(value) || strings.Contains(value, strings.Repeat("[", 101)) || len(value) > 1<<20
	}
	return false
}

func TestCasesInPostgres(t *testing.T) {
	t.Parallel()
	s := connect(t)
	var values []string
	for _, c := range columnCases() {
		for _, value := range c.values {
			if value != "" && strings.ToValidUTF8(value, "") == value {
				values = append(values, value)
			}
		}
	}
	s.checkRestored(t, values)
	s.checkComplete(t, values)
	for _, c := range columnCases() {
		if name, form := observed(c.values...).Type(); name != "text" {
			got, err := s.all(restored(name, form), c.values)
			if err != nil {
				t.Fatalf("%.100q: %v", c.values, err)
			}
			for n, value := range c.values {
				if *got[n] != value {
					t.Errorf("%.100q is %s, and comes back as %.100q", value, c.want, *got[n])
				}
			}
		}
	}
}

// TestDateStyles casts what needs no style to be read, and no zone.
func TestDateStyles(t *testing.T) {
	t.Parallel()
	s := connect(t)
	for _, style := range []string{"SQL, DMY", "German", "Postgres, MDY", "ISO, YMD"} {
		if _, err := s.conn.Exec(s.ctx, "SET DateStyle = '"+style+"'; SET TimeZone = 'America/New_York'"); err != nil {
			t.Fatal(err)
		}
		for _, c := range columnCases() {
			name, form := observed(c.values...).Type()
			if name != "date" && name != "timestamp" && name != "timestamptz" {
				continue
			}
			expression := strings.ReplaceAll(restored(name, ".000000Z"), " || 'Z'", " || '+00'")
			read, err := s.all(expression, c.values)
			if err != nil {
				t.Fatalf("%s: %q %s: %v", style, c.values, form, err)
			}
			for n, value := range c.values {
				if day := value[:10]; !strings.HasPrefix(*read[n], day) {
					t.Errorf("%s reads %q as %q", style, value, *read[n])
				}
			}
		}
	}
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	s := connect(t)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Map(drawValue(), func(s string) string { return strings.ReplaceAll(s, "\x00", "") }), 50, 150).Draw(t, "values")
		s.checkRestored(t, values)
		s.checkComplete(t, values)
	})
}

// TestColumnsInPostgres converts whole columns: what their values have in common is what each may have.
func TestColumnsInPostgres(t *testing.T) {
	t.Parallel()
	s := connect(t)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(drawColumn(), 1, 30).Draw(t, "columns")
		for _, column := range values {
			var c types.Column
			for _, value := range column {
				c.Observe([]byte(value))
			}
			name, form := c.Type()
			if name == "text" {
				continue
			}
			got, err := s.all(restored(name, form), column)
			if err != nil {
				t.Fatalf("%q: %v", column, err)
			}
			for n, value := range column {
				if *got[n] != value {
					t.Errorf("%q of %q is %s %s, and comes back as %q", value, column, name, form, *got[n])
				}
			}
		}
	})
}

// drawColumn is values of one generator, so that they often have a type in common.
func drawColumn() *rapid.Generator[[]string] {
	kinds := []*rapid.Generator[string]{drawWhole(), drawDecimal(), drawDouble(), drawDigits(), drawMoment(), drawUUID(), drawJSON(), drawKnown()}
	return rapid.Custom(func(t *rapid.T) []string {
		values := rapid.SliceOfN(rapid.SampledFrom(kinds).Draw(t, "kind"), 1, 4).Draw(t, "values")
		var c types.Column
		kept := values[:0]
		for _, value := range values { // leaves what would make text of it
			if next := c.Join(observed(value)); value != "" && !next.IsText() && strings.ToValidUTF8(value, "") == value {
				c, kept = next, append(kept, value)
			}
		}
		return kept
	})
}
