package csv_test

import (
	"strings"

	"sluice/services/ingester/csv"
)

var byteCases = []readCase{
	{name: "NUL", in: "a,b\n1,x\x00y\n", columns: "a|b", failure: "nul_byte 2:2:7", says: []string{`line 2, column 2 ("b")`, "NUL"}},
	{name: "NUL in quotes", in: "a\n\"1\n\x00\"\n", columns: "a", failure: "nul_byte 3:1:5"},
	{name: "NUL in the header", in: "a,\x00\n", failure: "nul_byte 1:2:2"},
	{name: "NUL first", in: "\x00a\n", failure: "nul_byte 1:1:0"},
	{name: "invalid UTF-8", in: "a,b\n1,caf\xE9\n", columns: "a|b", failure: "bad_encoding 2:2:9", says: []string{`line 2, column 2 ("b")`, "0xE9", "UTF-8"}},
	{name: "invalid UTF-8 in quotes", in: "a\n\"x\"\"y\r\n\r\"\"\xFFz\"\n", columns: "a", failure: "bad_encoding 4:1:12"},
	{name: "invalid UTF-8 in the header", in: "a,\xE4\n1,2\n", failure: "bad_encoding 1:2:2"},
	{name: "half a character at the end of a field", in: "a,b\n\xC3,\xA9\n", columns: "a|b", failure: "bad_encoding 2:1:4"},
	{name: "half a character at the end", in: "a\nx\xF0\x9F\x98", columns: "a", failure: "bad_encoding 2:1:3"},
	{name: "an overlong form", in: "a\n\xC0\xAF\n", columns: "a", failure: "bad_encoding 2:1:2"},
	{name: "a surrogate", in: "a\n\xED\xA0\x80\n", columns: "a", failure: "bad_encoding 2:1:2"},
	{name: "the replacement character is data", in: "a\n\uFFFD\n", columns: "a", records: []string{`2 2-6 "�"`}},
	{name: "invalid UTF-8 in a surplus field", in: "a\n1,\xFF\n", columns: "a", failure: "bad_encoding 2:2:4"},
	{name: "half a BOM", in: "\xEF\xBB", failure: "bad_encoding 1:1:0"},
}

var sniffCases = []readCase{
	{name: "web page", in: "<!DOCTYPE html>\n<html></html>", failure: "not_csv", says: []string{"web page", "login"}},
	{name: "web page without doctype", in: "<HTML lang=\"en\">", failure: "not_csv"},
	{name: "web page behind BOM and white space", in: bom + " \r\n\t<!doctype HTML>", failure: "not_csv"},
	{name: "web page behind much white space", in: strings.Repeat(" \n", 2000) + "<html>", failure: "not_csv"},
	{name: "nearly a web page", in: "<htm,b\n1,2\n", columns: "<htm|b", records: []string{`2 7-11 "1"|"2"`}},
	{name: "a short start of a web page", in: "<!doc", columns: "<!doc"},
	{name: "a tag in the rows", in: "a\n<html>\n", columns: "a", records: []string{`2 2-9 "<html>"`}},
	{name: "UTF-16, little endian", in: "\xFF\xFEa\x00\n\x00", failure: "bad_encoding", says: []string{"UTF-16"}},
	{name: "UTF-16, big endian", in: "\xFE\xFF\x00a\x00\n", failure: "bad_encoding", says: []string{"UTF-16"}},
	{name: "gzip", in: "\x1F\x8B\x08\x00\x00", failure: "not_csv", says: []string{"gzip"}},
	{name: "zip", in: "PK\x03\x04\x14\x00", failure: "not_csv", says: []string{"zip"}},
	{name: "an empty zip", in: "PK\x05\x06\x00\x00", failure: "not_csv", says: []string{"zip"}},
	{name: "zstd", in: "\x28\xB5\x2F\xFD\x04", failure: "not_csv", says: []string{"zstd"}},
	{name: "nearly zip", in: "PK\n1\n", columns: "PK", records: []string{`2 3-5 "1"`}},
	{name: "nearly zip and no more", in: "PK", columns: "PK"},
	{name: "nearly gzip", in: "\x1F", columns: "\x1F"},
}

var limitCases = []readCase{
	{name: "field at its limit", in: "a\n12345\n", set: limits(5, 0, 0), columns: "a", records: []string{`2 2-8 "12345"`}},
	{name: "field over its limit", in: "a,b\n1,123456\n", set: limits(5, 0, 0), columns: "a|b", failure: "field_too_long 2:2:6",
		says: []string{`line 2, column 2 ("b")`, "5 bytes", "delimiter"}},
	{name: "quoted field at its limit", in: "a\n\"\"\"234\"\"\"\n", set: limits(5, 0, 0), columns: "a", records: []string{`2 2-12 "\"234\""`}},
	{name: "quoted field over its limit", in: "a,b\n1,2\n3,\"4\n5,6\n", set: limits(5, 0, 0), columns: "a|b", records: []string{`2 4-8 "1"|"2"`},
		failure: "field_too_long 3:2:10", says: []string{"the quote that opens in line 3"}},
	{name: "line end over the limit in quotes", in: "a\n\"12345\n\"\n", set: limits(5, 0, 0), columns: "a", failure: "field_too_long 2:1:2"},
	{name: "quote over the limit in quotes", in: "a\n\"12345\"\"\"\n", set: limits(5, 0, 0), columns: "a", failure: "field_too_long 2:1:2"},
	{name: "header over the field limit", in: "abcdef\n", set: limits(5, 0, 0), failure: "field_too_long 1:1:0"},
	{name: "surplus field over its limit", in: "a\n1,123456\n", set: limits(5, 0, 0), columns: "a", failure: "field_too_long 2:2:4"},
	{name: "row at its limit", in: "a,b\r\n12,45\r\n", set: limits(0, 5, 0), columns: "a|b", records: []string{`2 5-12 "12"|"45"`}},
	{name: "row over its limit", in: "a,b\n12,456\n", set: limits(0, 5, 0), columns: "a|b", failure: "row_too_long 2:0:4", says: []string{"line 2: ", "5 bytes"}},
	{name: "row of delimiters over its limit", in: "a,b\n" + strings.Repeat(",", 9), set: limits(0, 5, 0), columns: "a|b", failure: "row_too_long 2:0:4"},
	{name: "closing quote over the limit", in: "a\n\"234\"\n\"2345\"\n", set: limits(0, 5, 0), columns: "a", records: []string{`2 2-8 "234"`}, failure: "row_too_long 3:0:8"},
	{name: "opening quote over the limit", in: "a,b\n1234,\"", set: limits(0, 5, 0), columns: "a|b", failure: "row_too_long 2:0:4"},
	{name: "row with an open quote over its limit", in: "a\n\"2\n4\n6\n", set: limits(0, 5, 0), columns: "a", failure: "row_too_long 2:0:2",
		says: []string{"the quote that opens in line 2"}},
	{name: "the field's limit comes first", in: "a\n123456\n", set: limits(5, 5, 0), columns: "a", failure: "field_too_long 2:1:2"},
	{name: "the row's limit comes first", in: "a,b\n1,23456\n", set: limits(5, 6, 0), columns: "a|b", failure: "row_too_long 2:0:4"},
	{name: "a row over the default", in: "a,b\n1," + strings.Repeat("x", 16<<20), columns: "a|b", failure: "row_too_long 2:0:4", says: []string{"16 MiB"}},
	{name: "columns at their limit", in: "a,b,c\n", set: limits(0, 0, 3), columns: "a|b|c"},
	{name: "columns over their limit", in: "a,b,c,d\n", set: limits(0, 0, 3), failure: "too_many_columns 1:4:6", says: []string{"3 columns"}},
	{name: "columns over their limit, the last one empty", in: "\na,b,c,", set: limits(0, 0, 3), failure: "too_many_columns 2:4:7"},
	{name: "no header, columns over their limit", in: "1,2,3,4\n", failure: "too_many_columns 1:4:6",
		set: func(o *csv.Options) { o.Dialect.HeaderRows, o.Limits.Columns = 0, 3 }},
	{name: "columns over the default", in: strings.Repeat("a,", 1600) + "a\n", failure: "too_many_columns 1:1601:3200", says: []string{"1600"}},
	{name: "more empty fields than columns may be", in: "a,b\n" + strings.Repeat(",", 5) + "\n", set: limits(0, 0, 3), columns: "a|b",
		records: []string{`2 4-10 NULL|NULL`}, warnings: "long_row 1 [2]"},
	{name: "delimiter is a line end", in: "a\n", set: func(o *csv.Options) { o.Dialect.Delimiter = "\n" }, failure: "internal"},
	{name: "delimiter is not ASCII", in: "a\n", set: func(o *csv.Options) { o.Dialect.Delimiter = "\xA7" }, failure: "internal"},
	{name: "quote is a line end", in: "a\n", set: func(o *csv.Options) { o.Dialect.Quote = '\r' }, failure: "internal"},
	{name: "quote is the delimiter", in: "a\n", set: func(o *csv.Options) { o.Dialect.Quote = ',' }, failure: "internal"},
	{name: "escape is a line end", in: "a\n", set: func(o *csv.Options) { o.Dialect.Escape = '\r' }, failure: "internal"},
	{name: "escape is the delimiter", in: "a\n", set: func(o *csv.Options) { o.Dialect.Escape = ',' }, failure: "internal"},
	{name: "escape without a quote", in: "a\n", failure: "internal",
		set: func(o *csv.Options) { o.Dialect.Quote, o.Dialect.Escape = 0, '\\' }},
	{name: "negative limit", in: "a\n", set: limits(-1, 0, 0), failure: "internal"},
}
