package typed

import (
	"fmt"
	"strings"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// failure tells what is wrong with a row, and where.
func (c *Checker) failure(f fault, at csv.Place) *events.Failure {
	column := c.columns[f.column]
	message := fmt.Sprintf("line %d, column %d (%q): ", at.Line, f.column+1, column.Name)
	switch {
	case f.null && f.value != "":
		message += fmt.Sprintf("the value %q stands for NULL, which the column does not take", csv.Shown([]byte(f.value)))
	case f.null:
		message += "there is no value, and the column must have one"
	case f.value == "":
		message += "the value is an empty text, which does not fit " + column.SQL +
			`; where that is to be NULL, state "null": [""] for the column`
	default:
		message += fmt.Sprintf("the value %q does not fit %s: %s", csv.Shown([]byte(f.value)), column.SQL, f.reason)
	}
	return events.Failf(events.CodeValueInvalid, "%s", message).AtPlace(at.Line, int64(f.column)+1, at.Offset)
}

// reject makes a reject of a row of the block.
func (c *Checker) reject(row int, f *events.Failure, rows *csv.Rows) csv.Reject {
	raw := c.writer.row(c, c.block[c.start(row):c.ends[row]-1], rows)
	return csv.Reject{
		Line: f.Line, Offset: rows.Places[row].Offset, Column: int(f.Column), Name: c.columns[f.Column-1].Name,
		Code: f.Code, Reason: f.Message, Raw: csv.Cut(raw, csv.RawSize),
	}
}

// writer writes rows of the text format of COPY as CSV.
type writer struct{ delimiter, quote string }

func (w writer) row(c *Checker, row []byte, rows *csv.Rows) string {
	var b strings.Builder
	for at, n := 0, 0; at <= len(row) && b.Len() <= csv.RawSize; n++ {
		from, escaped := at, false
		for at < len(row) && row[at] != rows.Delimiter {
			if row[at] == '\\' {
				escaped = true
				at++
			}
			at++
		}
		at = min(at, len(row))
		value := row[from:at]
		at++
		isNull := string(value) == rows.Null
		if escaped && !isNull {
			value = c.unescape(value)
		}
		if n == len(c.columns) {
			if rows.Extra { // those without a column
				for _, surplus := range elements(value) {
					b.WriteString(w.delimiter + w.value(surplus))
				}
			}
			break // what is behind is not the file's
		}
		if n > 0 {
			b.WriteString(w.delimiter)
		}
		if !isNull {
			b.WriteString(w.value(string(value)))
		}
	}
	return b.String()
}

// elements are the texts in an array as [csv.Rows] has it; NULL is "".
func elements(array []byte) (list []string) {
	for at := 1; at < len(array)-1; at++ { // from an element's first byte to the comma behind it
		var text []byte
		if array[at] != '"' { // NULL
			at += len("NULL")
			list = append(list, "")
			continue
		}
		for at++; array[at] != '"'; at++ {
			if array[at] == '\\' {
				at++
			}
			text = append(text, array[at])
		}
		at++
		list = append(list, string(text))
	}
	return list
}

func (w writer) value(v string) string {
	special := v == "" || strings.ContainsAny(v, "\r\n") || w.delimiter != "" && strings.Contains(v, w.delimiter)
	if w.quote == "" || !special && !strings.Contains(v, w.quote) {
		return v
	}
	return w.quote + strings.ReplaceAll(v, w.quote, w.quote+w.quote) + w.quote
}
