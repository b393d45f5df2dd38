package ingester_test

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// stating has a job state types, with forms and, for amounts, a word for NULL.
func stating(s *events.Spec) {
	s.Types.Stated = map[string]events.ColumnType{
		"n":      {Type: "integer"},
		"day":    {Type: "date", Format: "dd.mm.yyyy"},
		"amount": {Type: "numeric(9,2)", Decimal: ",", Group: ".", Null: []string{"n/a"}},
		"data":   {Type: "jsonb"},
	}
}

func badRows(n int64) func(*events.Spec) {
	return func(s *events.Spec) { s.MaxBadRows = events.BadRows{Count: n} }
}

// TestStatedTypes holds that values become those of the types that are stated, and that others make their rows bad ones.
func TestStatedTypes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	files := testenv.Files(t, map[string]string{"/a.csv": "n;day;amount;data;other\r\n" +
		"1;31.12.2024;1.234,5;{};a\r\n" +
		"2;;n/a;;\"a\r\nline\"\r\n" +
		"x;1.1.2024;1;{};b\r\n" +
		"4;30.02.2024;1;{};b\r\n" +
		"5;1.1.2024;1,555;{};\"b;\"\"\"\r\n" +
		"6;1.1.2024;1;{]};b\r\n" +
		"7;\"a NUL \x00\";1;{};b\r\n" +
		"8;1.1.2024;;[1];b\r\n"})
	job := e.submit(newJob(files+"/a.csv", stating, badRows(5)))
	end := e.awaitEnd(job, events.StateSucceeded, 3).Data.(events.Succeeded)
	types := make([]string, len(end.Result.Columns))
	for i, c := range end.Result.Columns {
		types[i] = c.Type
	}
	if want := []string{"integer", "date", "numeric(9,2)", "jsonb", "text"}; !reflect.DeepEqual(types, want) {
		t.Errorf("the types are %q, want %q", types, want)
	}
	if end.Result.Rejected != 5 || end.Figures.Rejected != 5 || end.Figures.Rows != 3 {
		t.Errorf("%d rows were rejected, and the figures are %+v", end.Result.Rejected, end.Figures)
	}
	e.expectTexts([]string{
		`(1,2024-12-31,1234.50,{},a)`, "(2,,,,\"a\r\nline\")", `(8,2024-01-01,,[1],b)`,
	}, "SELECT t::text FROM "+pgx.Identifier{"public", job.Spec.Table}.Sanitize()+" AS t ORDER BY n")
	e.expectTexts([]string{
		`5 71 1 n value_invalid: line 5, column 1 ("n"): the value "x" does not fit integer: invalid input syntax for type integer: "x"` +
			" = x;1.1.2024;1;{};b",
		`6 90 2 day value_invalid: line 6, column 2 ("day"): the value "30.02.2024" does not fit date: it is not written as dd.mm.yyyy, ` +
			"or there is no such day = 4;30.02.2024;1;{};b",
		`7 111 3 amount value_invalid: line 7, column 3 ("amount"): the value "1,555" does not fit numeric(9,2): it has more than 2 digits ` +
			"behind the point, which numeric(9,2) would round = 5;1.1.2024;1,555;{};\"b;\"\"\"",
		`8 139 4 data value_invalid: line 8, column 4 ("data"): the value "{]}" does not fit jsonb: invalid input syntax for type json` +
			" = 6;1.1.2024;1;{]};b",
		`9 159 2 day nul_byte: line 9, column 2 ("day"): the value contains a NUL byte, which Postgres cannot store; remove it, or save ` +
			"the file as UTF-8 if it is UTF-16 = 7;\"a NUL \uFFFD\";1;{};b",
	}, `SELECT concat_ws(' ', line, byte_offset, column_number, column_name, code) || ': ' || reason || ' = ' || raw FROM sluice.rejects ORDER BY line`)
}

// expectTexts compares what a query answers.
func (e *env) expectTexts(want []string, sql string, args ...any) {
	e.t.Helper()
	rows, err := e.sql.Query(e.ctx, sql, args...)
	if err != nil {
		e.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		e.t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		e.t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// TestFirstValueThatDoesNotFit holds that a job names the first one of the file, whatever other connections meet.
func TestFirstValueThatDoesNotFit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	if _, err := e.sql.Exec(e.ctx, "CREATE TABLE public.typed (n integer, day date NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range 20_000 {
		fmt.Fprintf(&b, "%d,2024-01-01\n", n)
	}
	good := b.String()
	files := testenv.Files(t, map[string]string{
		"/value.csv": "n,day\n" + good + "7,soon\n" + good + "x,2024-01-01\n",
		"/null.csv":  "n,day\n" + good + "7,\n" + good + "x,2024-01-01\n",
		"/quote.csv": "n,day\n" + good + "x,2024-01-01\n" + good + "\"7\n",
		"/latin.csv": "n,d\xe4y\n" + good + "\xe4,2024-01-01\n",
	})
	stated := func(s *events.Spec) {
		s.Types.Stated = map[string]events.ColumnType{"n": {Type: "int"}, "day": {Type: "date"}}
	}
	appended := func(s *events.Spec) { s.Mode, s.Table = events.Append, "typed" }
	replaced := func(s *events.Spec) { s.Mode, s.Table = events.Replace, "typed" }
	at := int64(len("n,day\n") + len(good))
	for _, tt := range []struct {
		file         string
		change       func(*events.Spec)
		column, line int64
		offset       int64
		says         string
	}{
		{"/value.csv", stated, 2, 20_002, at, `the value "soon" does not fit date: it is not written like 2024-12-31; state its "format"`},
		{"/value.csv", appended, 2, 20_002, at, `the value "soon" does not fit date: invalid input syntax for type date: "soon"`},
		{"/value.csv", replaced, 2, 20_002, at, `the value "soon" does not fit date: invalid input syntax for type date: "soon"`},
		{"/null.csv", appended, 2, 20_002, at, "there is no value, and the column must have one"},
		{"/null.csv", replaced, 2, 20_002, at, "there is no value, and the column must have one"},
		{"/quote.csv", stated, 1, 20_002, at, `the value "x" does not fit integer: invalid input syntax for type integer: "x"`},
		{
			"/latin.csv", func(s *events.Spec) { s.Types.Stated = map[string]events.ColumnType{"n": {Type: "bigint"}} },
			1, 20_002, at, `the value "ä" does not fit bigint: invalid input syntax for type bigint: "ä"`,
		},
	} {
		job := e.submit(newJob(files+tt.file, tt.change))
		why := failure(e.await(job, events.TypeFailed))
		if why.Code != events.CodeValueInvalid || why.Line != tt.line || why.Column != tt.column || *why.ByteOffset != tt.offset ||
			!strings.HasSuffix(why.Message, tt.says) {
			t.Errorf("%s failed with %+v, want %s in line %d, column %d, byte %d", tt.file, why, tt.says, tt.line, tt.column, tt.offset)
		}
	}
	e.expectTexts([]string{}, "SELECT reason FROM sluice.rejects")
	e.expectTables(1)
}

// TestTypesThatCannotBe holds that what is wrong with stated types is told before any row is read.
func TestTypesThatCannotBe(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	if _, err := e.sql.Exec(e.ctx, "CREATE TABLE public.typed (n integer, v varchar(5))"); err != nil {
		t.Fatal(err)
	}
	files := testenv.Files(t, map[string]string{"/a.csv": "n,v\nx,y\n"})
	for _, tt := range []struct {
		mode         events.Mode
		column, name string
		code         events.Code
		says         string
	}{
		{events.Create, "N", "integer", events.CodeColumnsDiffer, "a type is stated for column N, which the file does not have; it has n, v"},
		{events.Create, "n", "integre", events.CodeTypeUnknown, `column n: type "integre" does not exist`},
		{events.Create, "n", "no.such", events.CodeTypeUnknown, `column n: schema "no" does not exist`},
		{events.Create, "n", "numeric(2000)", events.CodeTypeUnknown, "column n: NUMERIC precision 2000 must be between 1 and 1000"},
		{events.Create, "n", "serial", events.CodeTypeUnknown, `column n: type "serial" does not exist`},
		{events.Create, "n", "int primary key", events.CodeTypeUnknown, `column n: syntax error at or near "primary"`},
		{events.Create, "n", "setof int", events.CodeTypeUnknown, "column n: invalid type name"},
		{events.Create, "n", "void", events.CodeTypeUnknown, "has pseudo-type void"},
		{events.Append, "n", "bigint", events.CodeTypeMismatch, "column n of table public.typed has the type integer, and bigint is stated"},
		{events.Replace, "v", "text", events.CodeTypeMismatch, "column v of table public.typed has the type character varying(5), and text is stated"},
	} {
		job := newJob(files+"/a.csv", func(s *events.Spec) {
			s.Mode, s.Types.Stated = tt.mode, map[string]events.ColumnType{tt.column: {Type: tt.name}}
		})
		if tt.mode != events.Create {
			job.Spec.Table = "typed"
		}
		if why := failure(e.await(e.submit(job), events.TypeFailed)); why.Code != tt.code || !strings.Contains(why.Message, tt.says) {
			t.Errorf("%s of type %q: failed with %+v, want %s: %s", tt.column, tt.name, why, tt.code, tt.says)
		}
	}
	e.expectTables(1)
}

// TestStatedTypesOfATable holds that a table's own types may be stated, with forms, in all modes that go on with it.
func TestStatedTypesOfATable(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	files := testenv.Files(t, map[string]string{"/1.csv": "n,day\n1,01.02.2024\n", "/2.csv": "n,day\n2,02.02.2024\n", "/3.csv": "n,day\n1,03.02.2024\n"})
	for _, step := range []struct {
		file string
		mode events.Mode
		want []string
	}{
		{"/1.csv", events.Append, []string{"(1,2024-02-01)"}},
		{"/2.csv", events.Replace, []string{"(2,2024-02-02)"}},
		{"/1.csv", events.Append, []string{"(1,2024-02-01)", "(2,2024-02-02)"}},
		{"/3.csv", events.Upsert, []string{"(1,2024-02-03)", "(2,2024-02-02)"}},
	} {
		if step.mode == events.Upsert {
			if _, err := e.sql.Exec(e.ctx, "CREATE UNIQUE INDEX ON public.typed (n)"); err != nil {
				t.Fatal(err)
			}
		}
		e.await(e.submit(newJob(files+step.file, func(s *events.Spec) {
			s.Table, s.Mode = "typed", step.mode
			if step.mode == events.Upsert {
				s.Key = []string{"n"}
			}
			s.Types.Stated = map[string]events.ColumnType{"n": {Type: "int4"}, "day": {Type: "date", Format: "dd.mm.yyyy"}}
		})), events.TypeSucceeded)
		e.expectTexts(step.want, "SELECT t::text FROM public.typed AS t ORDER BY n")
	}
}

// TestOthersAreInferred holds that the columns for which no type is stated may get theirs from their values, of the rows that
// were not rejected.
func TestOthersAreInferred(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	files := testenv.Files(t, map[string]string{"/a.csv": "n,zip,m\n1,02134,5\n2,10001,7\nx,y,z\n"})
	job := e.submit(newJob(files+"/a.csv", badRows(1), func(s *events.Spec) {
		s.Types = events.ColumnTypes{Infer: true, Stated: map[string]events.ColumnType{"n": {Type: "bigint"}, "zip": {Type: "text"}}}
	}))
	end := e.awaitEnd(job, events.StateSucceeded, 2).Data.(events.Succeeded)
	for i, want := range []string{"bigint", "text", "smallint"} {
		if got := end.Result.Columns[i].Type; got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
}

// TestTypesOutliveAttempts breaks a file off, and holds that the attempts after the first go on with the same types and
// count on.
func TestTypesOutliveAttempts(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("n;day;amount;data\n")
	for n := 1; n <= 60_000; n++ {
		day := "24.12.2024"
		if n == 50 || n == 59_000 {
			day = "yesterday"
		}
		b.WriteString(strconv.Itoa(n) + ";" + day + ";1,5;{}\n")
	}
	content := b.String()
	for allowed, want := range map[int64]events.State{2: events.StateSucceeded, 1: events.StateFailed} {
		e := newEnv(t)
		f := breaking(t, content, &fragile{ranges: true, breaks: []int{len(content) / 2, len(content) * 3 / 4}})
		e.start("w1", oneByOne)
		job := e.submit(newJob(f.url, stating, badRows(allowed)))
		end := e.awaitEnd(job, want, 59_998)
		e.expectTexts([]string{"51", "59001"}, "SELECT line::text FROM sluice.rejects ORDER BY line")
		if why := failure(end); want == events.StateFailed && (why.Code != events.CodeTooManyBadRows ||
			!strings.HasPrefix(why.Message, `2 rows are bad, and max_bad_rows allows 1; the first is line 51, column 2 ("day"): the value "yesterday"`)) {
			t.Errorf("failed with %+v", why)
		}
		if want == events.StateSucceeded {
			e.expectTexts([]string{"59998 2024-12-24 89997.00"},
				"SELECT concat_ws(' ', count(*), max(day), sum(amount)) FROM "+pgx.Identifier{"public", job.Spec.Table}.Sanitize())
		}
	}
}

// TestValuesThatPostgresAloneKnows holds that the input of a type is asked about and nothing else, such as a cast, which cuts;
// and that what is wrong with a value is not taken for what is wrong with a statement.
func TestValuesThatPostgresAloneKnows(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	if _, err := e.sql.Exec(e.ctx, `
		CREATE DOMAIN short AS varchar(3); CREATE DOMAIN price AS numeric(6,2) CHECK (VALUE > 0); CREATE DOMAIN needed AS int NOT NULL;
		CREATE FUNCTION loud(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF v = 'no' THEN RAISE EXCEPTION 'never'; END IF; RETURN true; END $$;
		CREATE DOMAIN loud AS text CHECK (loud(VALUE));
		CREATE TYPE mood AS ENUM ('sad', 'glad')`); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ good, bad string }{
		"short": {"abc", "abcd"}, "price": {"1.25", "0"}, "needed": {"1", ""}, "loud": {"yes", "no"}, "mood": {"sad", "angry"},
		"bit(3)": {"101", "1011"}, "pg_catalog.varchar(3)": {"abc", "abcd"}, "numeric(6,2)": {"1e2", "1e6"}, "tsvector": {"a b", "a:b"},
		"tsquery": {"a", "a b"}, "int[]": {"\"{1,2}\"", "\"{1,x}\""}, "time": {"10:00", "   "}, "timestamptz": {"2024-01-01 10:00Z", "2024-01-01 10:00+02:99"},
		"regclass": {"pg_class", "nope"}, "inet": {"::1", "1"},
		"timestamp": {"2024-01-01 10:00:00." + strings.Repeat("0", 20), "2024-01-01 10:00:00." + strings.Repeat("0", 400)},
	} {
		if _, err := e.sql.Exec(e.ctx, `DROP TABLE IF EXISTS public.into_it; CREATE TABLE public.into_it (n int, v `+name+`)`); err != nil {
			t.Fatal(err)
		}
		files := testenv.Files(t, map[string]string{"/a.csv": "n,v\n1," + tt.good + "\n2," + tt.bad + "\n3," + tt.good + "\n"})
		for _, change := range []func(*events.Spec){
			func(s *events.Spec) { s.Types.Stated = map[string]events.ColumnType{"v": {Type: name}} },
			func(s *events.Spec) { s.Mode, s.Table = events.Append, "into_it" },
		} {
			job := e.submit(newJob(files+"/a.csv", badRows(1), change))
			succeeded, ok := e.awaitTerminal(job).Data.(events.Succeeded)
			if !ok || succeeded.Result.Rows != 2 || succeeded.Result.Rejected != 1 {
				t.Errorf("%s: %q and %q: it ended as %s", name, tt.good, tt.bad, e.types(job))
				continue
			}
			e.expectTexts([]string{"3 value_invalid"}, "SELECT line || ' ' || code FROM sluice.rejects WHERE job_id = $1", job.ID)
		}
	}
}

// TestNothingIsLeftOut holds that rows which could not be looked at are not taken for rows that were: here a question fails
// once, for a reason that may pass, beside a row that is bad anyway.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	if _, err := e.sql.Exec(e.ctx, `
		CREATE SEQUENCE asked;
		CREATE FUNCTION flaky() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('asked') = 1 THEN RAISE EXCEPTION 'try again' USING ERRCODE = '57P01'; END IF; RETURN true; END $$;
		CREATE DOMAIN flaky AS text CHECK (flaky())`); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := 1; n <= 20; n++ {
		fmt.Fprintf(&b, "%d,x\n", n)
		if n == 10 {
			b.WriteString("bad,x,surplus\n")
		}
	}
	files := testenv.Files(t, map[string]string{"/a.csv": "n,v\n" + b.String()})
	job := e.submit(newJob(files+"/a.csv", badRows(5), func(s *events.Spec) {
		s.ExtraFields, s.Types.Stated = events.RejectExtra, map[string]events.ColumnType{"v": {Type: "flaky"}}
	}))
	end := e.awaitEnd(job, events.StateSucceeded, 20)
	if got := end.Data.(events.Succeeded).Result; got.Rejected != 1 {
		t.Errorf("the result is %+v", got)
	}
}
