package api

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxDelimiter  = 8 // bytes; of a comment's beginning too
	maxSkipRows   = 1000
	maxHeaderRows = 10
)

// parseCSV reads what a request says of how its file is written, or says about each bad field what is wrong with it.
func parseCSV(c openapi.CSV) (events.CSV, []refusal.Field) {
	stated := events.CSV{Delimiter: c.Delimiter, Quote: c.Quote, Escape: c.Escape, Header: c.Header, SkipRows: c.SkipRows}
	var bad []refusal.Field
	refuse := func(field, problem string) {
		if problem != "" {
			bad = append(bad, refusal.At(refusal.PointerTo("csv", field), problem))
		}
	}
	if c.Encoding != nil {
		name, problem := canonicalEncoding(*c.Encoding)
		refuse("encoding", problem)
		stated.Encoding = name
	}
	if c.Delimiter != nil {
		refuse("delimiter", checkDelimiter(*c.Delimiter, c.Quote))
	}
	if c.Quote != nil {
		refuse("quote", checkQuote(*c.Quote))
	}
	if c.Escape != nil {
		refuse("escape", checkEscape(*c.Escape, c.Quote, c.Delimiter))
	}
	if c.HeaderRows != nil {
		refuse("header_rows", checkHeaderRows(*c.HeaderRows, c.Header))
		stated.HeaderRows = *c.HeaderRows
	}
	if c.SkipRows != nil && (*c.SkipRows < 0 || *c.SkipRows > maxSkipRows) {
		refuse("skip_rows", fmt.Sprintf("must be 0 to %d", maxSkipRows))
	}
	if c.Comment != nil {
		refuse("comment", checkComment(*c.Comment, c.Quote, c.Delimiter))
		stated.Comment = *c.Comment
	}
	stated.AllowHTML = c.AllowHTML != nil && *c.AllowHTML
	return stated, bad
}

func checkDelimiter(delimiter string, quote *string) string {
	switch {
	case delimiter == "": // the file has one column
		return ""
	case len(delimiter) > maxDelimiter:
		return fmt.Sprintf("is longer than %d bytes", maxDelimiter)
	case !isLine(delimiter):
		return "contains a line end, NUL or what is not UTF-8"
	case states(quote) && strings.Contains(delimiter, *quote):
		return "contains the quote"
	}
	return ""
}

func checkQuote(quote string) string {
	switch {
	case quote == "": // the file has no quotes
		return ""
	case !isASCII(quote):
		return "must be one ASCII character, or empty when there are no quotes"
	case !isLine(quote) || unicode.IsLetter(rune(quote[0])) || unicode.IsDigit(rune(quote[0])):
		return "must not be a letter, a digit, a line end or NUL"
	}
	return ""
}

func checkEscape(escape string, quote, delimiter *string) string {
	switch {
	case escape == "": // quotes are doubled, nothing else
		return ""
	case !isASCII(escape):
		return "must be one ASCII character, or empty when quotes are only doubled"
	case !isLine(escape):
		return "must not be a line end or NUL"
	case delimiter != nil && escape == *delimiter:
		return "is the delimiter"
	case quote != nil && *quote == "":
		return "needs a quote, and quote says that there is none"
	}
	return ""
}

func checkComment(comment string, quote, delimiter *string) string {
	switch {
	case comment == "":
		return "must not be empty; leave it out"
	case len(comment) > maxDelimiter:
		return fmt.Sprintf("is longer than %d bytes", maxDelimiter)
	case !isLine(comment):
		return "contains a line end, NUL or what is not UTF-8"
	case states(quote) && strings.HasPrefix(comment, *quote):
		return "starts with the quote"
	case states(delimiter) && strings.HasPrefix(comment, *delimiter):
		return "starts with the delimiter"
	case states(delimiter) && strings.HasPrefix(*delimiter, comment): // rows with an empty first field would be skipped
		return "is what the delimiter starts with"
	}
	return ""
}

func checkHeaderRows(rows int, header *bool) string {
	switch {
	case rows < 1 || rows > maxHeaderRows:
		return fmt.Sprintf("must be 1 to %d", maxHeaderRows)
	case header != nil && !*header:
		return "contradicts header, which says that there is none"
	}
	return ""
}

// states reports whether there is such a thing as the text says, rather than none, or nothing said.
func states(text *string) bool { return text != nil && *text != "" }

func isASCII(text string) bool { return len(text) == 1 && text[0] < utf8.RuneSelf }

// isLine reports whether the text can be within a line. What was not UTF-8 has come as the replacement character.
func isLine(text string) bool { return !strings.ContainsAny(text, "\r\n\x00\ufffd") }
