package types

import (
	"bytes"
	"fmt"
)

// Observe adds the values of rows in the text format of COPY, written with a delimiter, a text for NULL, and escapes for
// backslashes, line ends and the delimiter only. Further values of a row are passed over. Rows that turn out not to have that
// format, or a value for each column, are an error; the columns then mean nothing. What lies behind the last column that is
// not text is not looked at.
func (c Columns) Observe(rows []byte, delimiter byte, null string) error {
	w := walk{rows: rows, delimiter: delimiter, delimiters: ones * uint64(delimiter), null: null}
	open := c.open()
	for w.at < len(rows) && open > 0 {
		settled, err := w.row(c[:open], open < len(c))
		if err != nil {
			return fmt.Errorf("observing the row at byte %d: %w", w.from, err)
		}
		if settled {
			open = c.open()
		}
	}
	return nil
}

// open is the number of columns up to the last one that is not text.
func (c Columns) open() int {
	n := len(c)
	for n > 0 && c[n-1].IsText() {
		n--
	}
	return n
}

// walk goes through rows.
type walk struct {
	rows       []byte
	delimiter  byte
	delimiters uint64 // in each byte
	null       string
	from, at   int    // where the row and what is next begin
	plain      []byte // a value without its escapes
}

// row observes a row's first values, and tells whether one of the columns has become text.
func (w *walk) row(columns Columns, more bool) (settled bool, err error) {
	w.from = w.at
	for n := range columns {
		from := w.at
		end, escaped := w.end(from)
		if end >= len(w.rows) {
			return false, errCut
		}
		w.at = end + 1
		if w.rows[end] == '\n' && (more || n < len(columns)-1) {
			return false, errShort
		}
		column, value := &columns[n], w.rows[from:end]
		if column.IsText() || len(value) == len(w.null) && string(value) == w.null {
			continue
		}
		if from+wordSize <= len(w.rows) {
			if fits, sure := shortNumber(word(w.rows, from), len(value)); sure {
				if column.lost|fits != anything {
					column.keep(fits)
					settled = settled || column.IsText()
				}
				continue
			}
		}
		if escaped {
			if value, err = w.unescape(value); err != nil {
				return false, err
			}
		}
		column.Observe(value)
		settled = settled || column.IsText()
	}
	if w.rows[w.at-1] == '\n' {
		return settled, nil
	}
	end := bytes.IndexByte(w.rows[w.at:], '\n')
	if end < 0 {
		return false, errCut
	}
	w.at += end + 1
	return settled, nil
}

// end is the place of the delimiter or LF behind a value, and tells whether something in it is escaped. It is not below the
// length of the rows if there is none.
func (w *walk) end(at int) (end int, escaped bool) {
	rows := w.rows
	for at+wordSize <= len(rows) {
		text := word(rows, at)
		marks := matches(text, w.delimiters) | matches(text, ones*'\n') | matches(text, ones*'\\')
		if marks == 0 {
			at += wordSize
			continue
		}
		at += firstMark(marks)
		if rows[at] != '\\' {
			return at, escaped
		}
		at, escaped = at+2, true
	}
	for at < len(rows) && rows[at] != w.delimiter && rows[at] != '\n' {
		if rows[at] == '\\' {
			at, escaped = at+1, true
		}
		at++
	}
	return at, escaped
}

// unescape returns a value without its escapes, until the next one is asked for.
func (w *walk) unescape(value []byte) ([]byte, error) {
	w.plain = w.plain[:0]
	for {
		at := bytes.IndexByte(value, '\\')
		if at < 0 {
			w.plain = append(w.plain, value...)
			return w.plain, nil
		}
		w.plain = append(w.plain, value[:at]...)
		if at++; at == len(value) {
			return nil, errEscape
		}
		switch c := value[at]; c {
		case 'n':
			w.plain = append(w.plain, '\n')
		case 'r':
			w.plain = append(w.plain, '\r')
		case '\\', w.delimiter:
			w.plain = append(w.plain, c)
		default:
			return nil, errEscape
		}
		value = value[at+1:]
	}
}
