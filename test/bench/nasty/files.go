// Package nasty has CSV files as they come from the world, each with what a loader should make of it, and judges what loaders
// have made.
package nasty

import (
	"fmt"
	"strings"
)

// File is a small CSV file whose rows are numbered in the first column, and what is in it.
type File struct {
	Name    string
	Text    string
	Columns []string // nil if their names do not matter
	Rows    []Row    // nil if the file is broken, so that nothing of it may be loaded
}

// Row has the values of a row, of which nil is NULL.
type Row []*string

func row(values ...string) Row {
	list := make(Row, len(values))
	for i, value := range values {
		if value != null {
			list[i] = &value
		}
	}
	return list
}

// null stands for NULL in a list of values.
const null = "\x00NULL"

// Files are ten of them.
func Files() []File {
	return []File{
		{
			Name: "CRLF and LF within quotes", Text: "n,text\r\n1,\"a\r\nb\"\r\n2,\"c\nd\"\r\n",
			Columns: []string{"n", "text"}, Rows: []Row{row("1", "a\r\nb"), row("2", "c\nd")},
		},
		{
			Name: "empty texts beside NULLs", Text: "n,a,b\n1,,\"\"\n2,\"\",\n3,x,y\n",
			Columns: []string{"n", "a", "b"}, Rows: []Row{row("1", null, ""), row("2", "", null), row("3", "x", "y")},
		},
		{
			Name: `a line with nothing but \.`, Text: "n,text\n1,\"a\n\\.\nb\"\n2,c\n3,d\n",
			Columns: []string{"n", "text"}, Rows: []Row{row("1", "a\n\\.\nb"), row("2", "c"), row("3", "d")},
		},
		{
			Name: `backslashes, and a \N that is text`, Text: "n,path\n1,C:\\new\\table\n2,\\N\n3,\"a\\\"\n",
			Columns: []string{"n", "path"}, Rows: []Row{row("1", `C:\new\table`), row("2", `\N`), row("3", `a\`)},
		},
		{
			Name:    "semicolons and Windows-1252",
			Text:    "n;ort;preis\n1;M\xfcnchen;1,50\n2;K\xf6ln;2,50\n3;Gie\xdfen;3,75\n4;L\xfcneburg;4,00\n",
			Columns: []string{"n", "ort", "preis"},
			Rows:    []Row{row("1", "München", "1,50"), row("2", "Köln", "2,50"), row("3", "Gießen", "3,75"), row("4", "Lüneburg", "4,00")},
		},
		{
			Name: "a byte order mark", Text: "\ufeffn,text\n1,a\n2,b\n",
			Columns: []string{"n", "text"}, Rows: []Row{row("1", "a"), row("2", "b")},
		},
		{
			Name: "quotes that are not doubled", Text: "n,text,m\n1,\"the \"late\" train\",5\n2,a 5\" disk,6\n3,\"x\",7\n",
			Columns: []string{"n", "text", "m"}, Rows: []Row{row("1", `the "late" train`, "5"), row("2", `a 5" disk`, "6"), row("3", "x", "7")},
		},
		{
			Name: "a row too short, one too long", Text: "n,a,b\n1,x\n2,x,y,z\n3,x,y\n", // what is too much is to be kept somewhere
			Rows: []Row{row("1", "x", null, null), row("2", "x", "y", "{z}"), row("3", "x", "y", null)},
		},
		{
			Name: "headers twice, and a blank one", Text: "n,a,A,,a\n1,b,c,d,e\n2,f,g,h,i\n",
			Rows: []Row{row("1", "b", "c", "d", "e"), row("2", "f", "g", "h", "i")},
		},
		{Name: "a quote left open in row 990 of 1,000", Text: openQuote()},
	}
}

func openQuote() string {
	var b strings.Builder
	b.WriteString("n,text\n")
	for n := 1; n <= 1000; n++ {
		text := "a text"
		if n == 990 {
			text = `"a text`
		}
		fmt.Fprintf(&b, "%d,%s\n", n, text)
	}
	return b.String()
}
