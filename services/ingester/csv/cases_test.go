package csv_test

import (
	"strings"

	"sluice/services/ingester/csv"
)

// readCase is a file and all that reading it must tell.
type readCase struct {
	name     string
	in       string
	set      func(*csv.Options) // what is not as by default
	columns  string
	records  []string
	failure  string
	says     []string // parts of the failure's message
	warnings string
}

func noHeader(o *csv.Options)   { o.Dialect.HeaderRows = 0 }
func noQuote(o *csv.Options)    { o.Dialect.Quote = 0 }
func semicolon(o *csv.Options)  { o.Dialect.Delimiter = ";" }
func apostrophe(o *csv.Options) { o.Dialect.Quote = '\'' }

func backslash(o *csv.Options) { o.Dialect.Escape = '\\' }

func limits(field, row, columns int) func(*csv.Options) {
	return func(o *csv.Options) { o.Limits = csv.Limits{Field: field, Row: row, Columns: columns} }
}

const bom = "\xEF\xBB\xBF"

var plainCases = []readCase{
	{name: "two records", in: "a,b\n1,2\n3,4\n", columns: "a|b", records: []string{`2 4-8 "1"|"2"`, `3 8-12 "3"|"4"`}},
	{name: "no line end at the end", in: "a,b\n1,2", columns: "a|b", records: []string{`2 4-7 "1"|"2"`}},
	{name: "header only", in: "a,b\n", columns: "a|b"},
	{name: "header only, no line end", in: "a,b", columns: "a|b"},
	{name: "header only, CR", in: "a,b\r", columns: "a|b"},
	{name: "header and blank lines", in: "a,b\n\n\r\n\r", columns: "a|b"},
	{name: "CRLF", in: "a,b\r\n1,2\r\n3,4\r\n", columns: "a|b", records: []string{`2 5-10 "1"|"2"`, `3 10-15 "3"|"4"`}},
	{name: "CR", in: "a,b\r1,2\r3,4\r", columns: "a|b", records: []string{`2 4-8 "1"|"2"`, `3 8-12 "3"|"4"`}},
	{name: "CR, no line end at the end", in: "a\r1\r2", columns: "a", records: []string{`2 2-4 "1"`, `3 4-5 "2"`}},
	{name: "mixed line ends", in: "a,b\n1,2\r\n3,4\r5,6\n", columns: "a|b",
		records: []string{`2 4-9 "1"|"2"`, `3 9-13 "3"|"4"`, `4 13-17 "5"|"6"`}},
	{name: "LF CR is a line end and a blank line", in: "a,b\n\r1,2\n\r3,4", columns: "a|b",
		records: []string{`3 5-9 "1"|"2"`, `5 10-13 "3"|"4"`}},
	{name: "CR CRLF is a line end and a blank line", in: "a,b\r\r\n1,2\r\r\n", columns: "a|b", records: []string{`3 6-10 "1"|"2"`}},
	{name: "BOM", in: bom + "a,b\n1,2\n", columns: "a|b", records: []string{`2 7-11 "1"|"2"`}},
	{name: "BOM before a quote", in: bom + "\"a\",b\n1,2\n", columns: "a|b", records: []string{`2 9-13 "1"|"2"`}},
	{name: "a second BOM is data", in: bom + bom + "a\n1\n", columns: "\ufeffa", records: []string{`2 8-10 "1"`}},
	{name: "nothing is trimmed", in: " a ,\tb\n 1 ,\t2 \n", columns: " a |\tb", records: []string{`2 7-15 " 1 "|"\t2 "`}},
	{name: "a line of spaces is a record", in: "a,b\n  \n", columns: "a|b", records: []string{`2 4-7 "  "|NULL`}, warnings: "short_row 1 [2]"},
	{name: "COPY's end mark is data", in: "a\n1\n\\.\n2\n", columns: "a", records: []string{`2 2-4 "1"`, `3 4-7 "\\."`, `4 7-9 "2"`}},
	{name: "COPY's end mark in two columns", in: "a,b\n\\.\n\\.,\n", columns: "a|b",
		records: []string{`2 4-7 "\\."|NULL`, `3 7-11 "\\."|NULL`}, warnings: "short_row 1 [2]"},
	{name: "backslashes are data", in: "a,b\n\\N,\\\"\n", columns: "a|b", records: []string{`2 4-10 "\\N"|"\\\""`}},
	{name: "Unicode", in: "名,ß\nñ,😀\n", columns: "名|ß", records: []string{`2 7-15 "ñ"|"😀"`}},
	{name: "control characters are data", in: "a\n\x01\x7f\x0b\x0c\x1a\n", columns: "a", records: []string{`2 2-8 "\x01\x7f\v\f\x1a"`}},
	{name: "other line separators are data", in: "a\n1\u20282\u00853\n", columns: "a", records: []string{`2 2-11 "1\u20282\u00853"`}},
	{name: "semicolon", in: "a;b\n1,5;\"x;y\"\n", set: semicolon, columns: "a|b", records: []string{`2 4-14 "1,5"|"x;y"`}},
	{name: "tab", in: "a\tb\n1\t\n", set: func(o *csv.Options) { o.Dialect.Delimiter = "\t" }, columns: "a|b",
		records: []string{`2 4-7 "1"|NULL`}},
	{name: "space", in: "a b\n1 2\n", set: func(o *csv.Options) { o.Dialect.Delimiter = " " }, columns: "a|b",
		records: []string{`2 4-8 "1"|"2"`}},
	{name: "no header", in: "1,2\n3,4\n", set: noHeader, columns: "column_1|column_2",
		records: []string{`1 0-4 "1"|"2"`, `2 4-8 "3"|"4"`}},
	{name: "no header, BOM", in: bom + "1\n2", set: noHeader, columns: "column_1", records: []string{`1 3-5 "1"`, `2 5-6 "2"`}},
	{name: "no header, one record", in: "1,\"\"", set: noHeader, columns: "column_1|column_2", records: []string{`1 0-4 "1"|""`}},
	{name: "no header, rows of other lengths", in: "1,2\n3\n4,5,\n", set: noHeader, columns: "column_1|column_2",
		records: []string{`1 0-4 "1"|"2"`, `2 4-6 "3"|NULL`, `3 6-11 "4"|"5"`}, warnings: "short_row 1 [2], long_row 1 [3]"},
	{name: "many fields", in: strings.Repeat("1,", 1599) + "1\n", set: noHeader,
		columns: "column_" + strings.Join(numbers(1600), "|column_"), records: []string{"1 0-3200 " + strings.TrimSuffix(strings.Repeat(`"1"|`, 1600), "|")}},
	{name: "a field of 10 MB", in: "a,b\n" + strings.Repeat("x", 10e6) + ",2\n", columns: "a|b", records: []string{`2 4-10000007 10000000 bytes|"2"`}},
	{name: "a quoted field of many lines", in: "a\n\"" + strings.Repeat("xyz\"\"\r\n", 2e5) + "\"\n4\n", columns: "a",
		records: []string{`2 2-1400005 1200000 bytes`, `200003 1400005-1400007 "4"`}},
}

var quoteCases = []readCase{
	{name: "quoted", in: "\"a\",\"b\"\n\"1\",\"2\"\n", columns: "a|b", records: []string{`2 8-16 "1"|"2"`}},
	{name: "delimiter in quotes", in: "a,b\n\"1,5\",2\n", columns: "a|b", records: []string{`2 4-12 "1,5"|"2"`}},
	{name: "LF in quotes", in: "a,b\n\"1\n5\",2\n3,4\n", columns: "a|b", records: []string{`2 4-12 "1\n5"|"2"`, `4 12-16 "3"|"4"`}},
	{name: "CRLF in quotes", in: "a,b\r\n\"1\r\n5\",2\r\n3,4\r\n", columns: "a|b",
		records: []string{`2 5-15 "1\r\n5"|"2"`, `4 15-20 "3"|"4"`}},
	{name: "CR in quotes", in: "a,b\r\"1\r5\",2\r3,4\r", columns: "a|b", records: []string{`2 4-12 "1\r5"|"2"`, `4 12-16 "3"|"4"`}},
	{name: "each line end in quotes", in: "a\n\"\r\n\n\r\r\n\"\n3\n", columns: "a", records: []string{`2 2-11 "\r\n\n\r\r\n"`, `7 11-13 "3"`}},
	{name: "CR and LF parted by a quote", in: "a\n\"\r\"\"\n\"\n3\n", columns: "a", records: []string{`2 2-9 "\r\"\n"`, `5 9-11 "3"`}},
	{name: "blank lines in quotes", in: "a,b\n\"\n\n\",2\n", columns: "a|b", records: []string{`2 4-11 "\n\n"|"2"`}},
	{name: "end mark in quotes", in: "a\n\"1\n\\.\n2\"\n", columns: "a", records: []string{`2 2-11 "1\n\\.\n2"`}},
	{name: "line end in a quoted name", in: "\"a\r\nb\",c\n1,2\n", columns: "a\r\nb|c", records: []string{`3 9-13 "1"|"2"`}},
	{name: "doubled quotes", in: "a\n\"x\"\"y\"\n\"\"\"\"\n\"\"\"x\"\"\"\n", columns: "a",
		records: []string{`2 2-9 "x\"y"`, `3 9-14 "\""`, `4 14-22 "\"x\""`}},
	{name: "quote within an unquoted field", in: "a,b\n5\" pipe,x\"\"y\"\n", columns: "a|b", records: []string{`2 4-18 "5\" pipe"|"x\"\"y\""`}},
	{name: "quote behind a space", in: "a,b\n \"1\",2\n", columns: "a|b", records: []string{`2 4-11 " \"1\""|"2"`}},
	{name: "closing quote at the end", in: "a\n\"1\"", columns: "a", records: []string{`2 2-5 "1"`}},
	{name: "closing quote before CR at the end", in: "a\n\"1\"\r", columns: "a", records: []string{`2 2-6 "1"`}},
	{name: "doubled quote at the end", in: "a\n\"1\"\"\"", columns: "a", records: []string{`2 2-7 "1\""`}},
	{name: "apostrophe", in: "a,b\n'1,''5',\"2\"\n", set: apostrophe, columns: "a|b", records: []string{`2 4-16 "1,'5"|"\"2\""`}},
	{name: "no quote", in: "\"a\",b\n\"1\"x,\"2\n\",\"\"\n", set: noQuote, columns: "\"a\"|b",
		records: []string{`2 6-14 "\"1\"x"|"\"2"`, `3 14-19 "\""|"\"\""`}},
	{name: "escaped quote", in: "a,b\n\"x\\\"y\",\"\\\\\"\n", set: backslash, columns: "a|b", records: []string{`2 4-16 "x\"y"|"\\"`}},
	{name: "escape of nothing is data", in: "a,b\n\"\\x\\\n\",\\\"\n", set: backslash, columns: "a|b",
		records: []string{`2 4-14 "\\x\\\n"|"\\\""`}},
	{name: "quotes doubled besides an escape", in: "a\n\"x\"\"y\\\"\"\n", set: backslash, columns: "a", records: []string{`2 2-11 "x\"y\""`}},
	{name: "escape at the end", in: "a\n\"x\\", set: backslash, columns: "a", failure: "unterminated_quote 2:1:2"},
	{name: "escaped quote at the end", in: "a\n\"x\\\"", set: backslash, columns: "a", failure: "unterminated_quote 2:1:2"},
	{name: "an escape other than a backslash", in: "a,b\n\"x^\"y\",\"^^\\\"\n", columns: "a|b", records: []string{`2 4-17 "x\"y"|"^\\"`},
		set: func(o *csv.Options) { o.Dialect.Escape = '^' }},
	{name: "an escape that is the quote", in: "a\n\"x\"\"\"\n", columns: "a", records: []string{`2 2-8 "x\""`},
		set: func(o *csv.Options) { o.Dialect.Escape = '"' }},
	{name: "bad encoding behind escapes", in: "a\n\"\\\"\\x\"\"\xFF\"\n", set: backslash, columns: "a", failure: "bad_encoding 2:1:9"},
	{name: "stray quote", in: "a,b\n1,\"x\"y\n", columns: "a|b", failure: "stray_quote 2:2:8",
		says: []string{`line 2, column 2 ("b")`, `"x"`}},
	{name: "stray quote behind records", in: "a,b\n1,2\n\"x\" ,2\n", columns: "a|b", records: []string{`2 4-8 "1"|"2"`}, failure: "stray_quote 3:1:10"},
	{name: "stray quote behind line ends", in: "a\n\"x\r\ny\"z\n", columns: "a", failure: "stray_quote 3:1:7"},
	{name: "stray quote in the header", in: "a,\"b\"c\n1,2\n", failure: "stray_quote 1:2:4", says: []string{"line 1, column 2:"}},
	{name: "NUL behind a closing quote", in: "a\n\"x\"\x00\n", columns: "a", failure: "stray_quote 2:1:4"},
	{name: "stray quote at a surplus field", in: "a\n1,\"2\"3\n", columns: "a", failure: "stray_quote 2:2:6", says: []string{"line 2, column 2:"}},
	{name: "unterminated quote", in: "a,b\n1,2\n3,\"4\n5,6\n", columns: "a|b", records: []string{`2 4-8 "1"|"2"`},
		failure: "unterminated_quote 3:2:10", says: []string{`line 3, column 2 ("b")`, "never closed"}},
	{name: "a quote alone at the end", in: "a\n\"", columns: "a", failure: "unterminated_quote 2:1:2"},
	{name: "unterminated behind a doubled quote", in: "a\n\"x\"\"", columns: "a", failure: "unterminated_quote 2:1:2"},
	{name: "unterminated in the header", in: "a,\"b\n1,2\n", failure: "unterminated_quote 1:2:2"},
}

var emptyCases = []readCase{
	{name: "unquoted empty is NULL, quoted empty is not", in: "a,b\n,\"\"\n\"\",\n", columns: "a|b", records: []string{`2 4-8 NULL|""`, `3 8-12 ""|NULL`}},
	{name: "only delimiters", in: "a,b,c\n,,\n", columns: "a|b|c", records: []string{`2 6-9 NULL|NULL|NULL`}},
	{name: "delimiter at the end", in: "a,b\n1,", columns: "a|b", records: []string{`2 4-6 "1"|NULL`}},
	{name: "blank lines are skipped", in: "a,b\n\n1,2\n\r\n\n3,4\n\n", columns: "a|b", records: []string{`3 5-9 "1"|"2"`, `6 12-16 "3"|"4"`}},
	{name: "blank lines before the header", in: "\n\r\n\ra,b\n1,2\n", columns: "a|b", records: []string{`5 8-12 "1"|"2"`}},
	{name: "blank line behind a BOM", in: bom + "\na,b\n1,2\n", columns: "a|b", records: []string{`3 8-12 "1"|"2"`}},
	{name: "one column, blank lines", in: "a\n\n1\n\n\n2\n\n", columns: "a",
		records: []string{`2 2-3 NULL`, `3 3-5 "1"`, `4 5-6 NULL`, `5 6-7 NULL`, `6 7-9 "2"`, `7 9-10 NULL`}},
	{name: "one column, blank CRLF lines", in: "a\r\n\r\n1\r\n\r\n", columns: "a", records: []string{`2 3-5 NULL`, `3 5-8 "1"`, `4 8-10 NULL`}},
	{name: "one column, blank CR lines", in: "a\r\r1\r\r", columns: "a", records: []string{`2 2-3 NULL`, `3 3-5 "1"`, `4 5-6 NULL`}},
	{name: "one column, no line end at the end", in: "a\n\n1", columns: "a", records: []string{`2 2-3 NULL`, `3 3-4 "1"`}},
	{name: "one column, quoted empty", in: "a\n\"\"\n\n\"\"", columns: "a", records: []string{`2 2-5 ""`, `3 5-6 NULL`, `4 6-8 ""`}},
	{name: "one column, blank lines before the header", in: "\n\na\n1\n", columns: "a", records: []string{`4 4-6 "1"`}},
	{name: "one column, no header, blank lines", in: "\n1\n\n2\n", set: noHeader, columns: "column_1",
		records: []string{`2 1-3 "1"`, `3 3-4 NULL`, `4 4-6 "2"`}},
	{name: "short rows", in: "a,b,c\n1\n1,2\n1,2,3\n", columns: "a|b|c",
		records: []string{`2 6-8 "1"|NULL|NULL`, `3 8-12 "1"|"2"|NULL`, `4 12-18 "1"|"2"|"3"`}, warnings: "short_row 2 [2 3]"},
	{name: "a short row of a quoted empty field", in: "a,b\n\"\"\n", columns: "a|b", records: []string{`2 4-7 ""|NULL`}, warnings: "short_row 1 [2]"},
	{name: "long rows of empty fields", in: "a,b\n1,2,\n1,2,,,\"\"\n1,2\n", columns: "a|b",
		records: []string{`2 4-9 "1"|"2"`, `3 9-18 "1"|"2"`, `4 18-22 "1"|"2"`}, warnings: "long_row 2 [2 3]"},
	{name: "one column, a delimiter", in: "a\n1,\n,\n", columns: "a", records: []string{`2 2-5 "1"`, `3 5-7 NULL`}, warnings: "long_row 2 [2 3]"},
	{name: "warnings name ten lines", in: "a,b\n" + strings.Repeat("1\n", 12), columns: "a|b", records: repeatShort(12),
		warnings: "short_row 12 [2 3 4 5 6 7 8 9 10 11]"},
	{name: "a surplus value", in: "a,b\n1,2\n1,2,3\n", columns: "a|b", records: []string{`2 4-8 "1"|"2"`}, failure: "too_many_fields 3:3:12",
		says: []string{"line 3, column 3", `"3"`, "2 columns", "','"}},
	{name: "a surplus value behind empty ones", in: "a\n1,,\"\",\"x\"\n", columns: "a", failure: "too_many_fields 2:4:8", says: []string{`"x"`, "1 column;"}},
	{name: "a long surplus value is cut", in: "a\n1," + strings.Repeat("é", 50) + "\n", columns: "a", failure: "too_many_fields 2:2:4",
		says: []string{`"` + strings.Repeat("é", 30) + `…"`}},
	{name: "a surplus value behind lines in quotes", in: "a\n\"1\n\n\",2\n", columns: "a", failure: "too_many_fields 4:2:8"},
	{name: "empty", in: "", failure: "empty_source", says: []string{"empty"}},
	{name: "only a BOM", in: bom, failure: "empty_source"},
	{name: "only blank lines", in: "\n\r\n\r\n\r", failure: "empty_source"},
	{name: "only a BOM and a blank line", in: bom + "\n", failure: "empty_source"},
	{name: "empty, no header", in: "\n", set: noHeader, failure: "empty_source"},
	{name: "a header of spaces", in: "  \n1\n", columns: "column_1", records: []string{`2 3-5 "1"`}},
	{name: "a header of delimiters", in: ",,\n1,2,3\n", columns: "column_1|column_2|column_3", records: []string{`2 3-9 "1"|"2"|"3"`}},
	{name: "a header of a quoted empty name", in: "\"\"\n1\n", columns: "column_1", records: []string{`2 3-5 "1"`}},
}
