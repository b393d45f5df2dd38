package csv_test

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// reference reads a whole file in the most obvious way: one byte after the other, in one of four states.
type reference struct {
	text []byte
	opts csv.Options

	at      int // the byte in hand
	line    int64
	columns int // 0 until known
	records []string
	failure string
	short   []int64
	long    []int64

	fields               []string // of the row in hand, as showRecord writes values
	value                []byte
	quoted               bool
	rowStart, fieldStart int
	rowLine, fieldLine   int64
	places               []int // where in the text each byte of the value lies
}

func readReference(text string, opts csv.Options) outcome {
	r := &reference{text: []byte(text), opts: opts, line: 1}
	if r.refuse(); r.failure == "" {
		r.run()
	}
	if r.failure == "" && r.columns == 0 {
		r.failure = string(events.CodeEmptySource)
	}
	var warnings []events.Warning
	if n := len(r.short); n > 0 {
		warnings = append(warnings, events.Warning{Code: "short_row", Count: int64(n), Lines: r.short[:min(n, 10)]})
	}
	if n := len(r.long); n > 0 {
		warnings = append(warnings, events.Warning{Code: "long_row", Count: int64(n), Lines: r.long[:min(n, 10)]})
	}
	return outcome{records: r.records, failure: r.failure, warnings: showWarnings(warnings)}
}

func (r *reference) refuse() {
	for _, magic := range []string{"\xFF\xFE", "\xFE\xFF"} {
		if strings.HasPrefix(string(r.text), magic) {
			r.failure = "bad_encoding"
		}
	}
	for _, magic := range []string{"\x1F\x8B", "PK\x03\x04", "PK\x05\x06", "\x28\xB5\x2F\xFD"} {
		if strings.HasPrefix(string(r.text), magic) {
			r.failure = "not_csv"
		}
	}
	if bytes.HasPrefix(r.text, []byte(bom)) {
		r.at = 3
	}
	start := strings.ToLower(strings.TrimLeft(string(r.text[r.at:min(len(r.text), 4096)]), " \t\r\n\v\f"))
	if strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<!doctype html") {
		r.failure = "not_csv"
	}
}

const (
	fieldStarts = iota
	inField
	inQuotes
	behindQuote
)

func (r *reference) run() {
	d := r.opts.Dialect
	state := fieldStarts
	r.startRow()
	for ; r.at < len(r.text) && r.failure == ""; r.at++ {
		c := r.text[r.at]
		lineEnd := c == '\n' || c == '\r'
		switch {
		case state == fieldStarts && c == d.Quote && d.Quote != 0:
			r.quoted = true
			state = inQuotes
			r.checkRow()
		case state == inQuotes && r.escapes(c):
			r.checkRow()
			r.at++
			r.add(r.text[r.at])
		case state == behindQuote && c == d.Quote:
			r.add(c)
			state = inQuotes
		case state == inQuotes && c == d.Quote:
			state = behindQuote
			r.checkRow()
		case state == inQuotes && c == 0, (state == fieldStarts || state == inField) && c == 0:
			r.fail("nul_byte", r.line, r.at)
		case state == inQuotes:
			if c == '\r' || c == '\n' && r.text[r.at-1] != '\r' { // an escape before LF is data
				r.line++
			}
			r.add(c)
		case string(rune(c)) == d.Delimiter:
			r.endField()
			r.checkRow()
			r.startField(r.at + 1)
			if r.failure == "" && r.columns == 0 && len(r.fields) == r.opts.Limits.Columns {
				r.fail("too_many_columns", r.line, r.at+1)
			}
			state = fieldStarts
		case lineEnd:
			blank := r.at == r.rowStart
			r.endField()
			if c == '\r' && r.at+1 < len(r.text) && r.text[r.at+1] == '\n' {
				r.at++
			}
			if !blank || r.columns == 1 {
				r.endRow(r.at + 1)
			}
			r.line++
			r.at++
			r.startRow()
			r.at--
			state = fieldStarts
		case state == behindQuote:
			r.fail("stray_quote", r.line, r.at-1)
		default:
			r.add(c)
			state = inField
		}
	}
	if r.failure != "" || r.rowStart == len(r.text) {
		return
	}
	if state == inQuotes {
		r.fail("unterminated_quote", r.fieldLine, r.fieldStart)
		return
	}
	r.endField()
	r.endRow(len(r.text))
}

// escapes reports whether the byte in hand makes the next one part of the value.
func (r *reference) escapes(c byte) bool {
	d := r.opts.Dialect
	if c != d.Escape || c == d.Quote || c == 0 || r.at+1 == len(r.text) {
		return false
	}
	next := r.text[r.at+1]
	return next == d.Quote || next == d.Escape
}

func (r *reference) startRow() {
	r.fields, r.rowStart, r.rowLine = nil, r.at, r.line
	r.startField(r.at)
}

func (r *reference) startField(at int) {
	r.value, r.places, r.quoted, r.fieldStart, r.fieldLine = nil, nil, false, at, r.line
}

func (r *reference) add(c byte) {
	r.value = append(r.value, c)
	r.places = append(r.places, r.at)
	if len(r.value) > r.opts.Limits.Field {
		r.fail("field_too_long", r.fieldLine, r.fieldStart)
	}
	r.checkRow()
}

func (r *reference) checkRow() {
	if r.failure == "" && r.at+1-r.rowStart > r.opts.Limits.Row {
		r.failure = fmt.Sprintf("row_too_long %d:0:%d", r.rowLine, r.rowStart)
	}
}

func (r *reference) endField() {
	if r.failure != "" {
		return
	}
	for i := range r.value {
		if r, width := utf8.DecodeRune(r.value[i:]); r != utf8.RuneError || width != 1 {
			continue
		}
		if insideRune(r.value, i) {
			continue
		}
		before := strings.ReplaceAll(string(r.value[:i]), "\r\n", "\n")
		r.fail("bad_encoding", r.fieldLine+int64(strings.Count(before, "\n")+strings.Count(before, "\r")), r.places[i])
		return
	}
	if r.columns > 0 && len(r.fields) >= r.columns && len(r.value) > 0 {
		r.fail("too_many_fields", r.fieldLine, r.fieldStart)
		return
	}
	if r.quoted {
		r.value = append([]byte{}, r.value...) // not nil
	}
	r.fields = append(r.fields, showValue(r.value))
}

// insideRune reports whether the byte at i belongs to a character that starts before it.
func insideRune(value []byte, i int) bool {
	for start := max(0, i-3); start < i; start++ {
		if r, width := utf8.DecodeRune(value[start:]); r != utf8.RuneError && start+width > i {
			return true
		}
		if bytes.HasPrefix(value[start:], []byte("\uFFFD")) && start+3 > i {
			return true
		}
	}
	return false
}

func (r *reference) endRow(end int) {
	if r.failure != "" {
		return
	}
	if r.columns == 0 {
		r.columns = len(r.fields)
		if r.opts.Dialect.HeaderRows > 0 {
			return
		}
	}
	if len(r.fields) < r.columns {
		r.short = append(r.short, r.rowLine)
	}
	if len(r.fields) > r.columns {
		r.long = append(r.long, r.rowLine)
	}
	for len(r.fields) < r.columns {
		r.fields = append(r.fields, "NULL")
	}
	r.records = append(r.records, fmt.Sprintf("%d %d-%d %s", r.rowLine, r.rowStart, end, strings.Join(r.fields[:r.columns], "|")))
}

func (r *reference) fail(code string, line int64, offset int) {
	if r.failure == "" {
		r.failure = fmt.Sprintf("%s %d:%d:%d", code, line, len(r.fields)+1, offset)
	}
}
