package dataset

import "bytes"

// csvTable writes rows as CSV (RFC 4180: lines end in CRLF).
type csvTable struct {
	to   *chunked
	safe []bool // of which columns formulas are made harmless
}

// newCSVTable writes the header. Numbers are no formulas, whatever they begin with.
func newCSVTable(to *chunked, columns []column, formulaSafe bool) *csvTable {
	t := &csvTable{to: to, safe: make([]bool, len(columns))}
	for i, c := range columns {
		t.field(i, []byte(c.name), formulaSafe)
		t.safe[i] = formulaSafe && !c.number
	}
	t.end()
	return t
}

func (t *csvTable) row(values [][]byte) {
	for i, v := range values {
		t.field(i, v, t.safe[i])
	}
	t.end()
}

func (t *csvTable) end() { t.to.pending = append(t.to.pending, "\r\n"...) }

// endMark alone on a line is the end of a file to Postgres before version 18, unless it is in quotes.
const endMark = `\.`

// field writes a value: nil as nothing, and an empty text in quotes, as a text is that has a comma, a quote or a line end.
func (t *csvTable) field(place int, value []byte, safe bool) {
	p := t.to.pending
	if place > 0 {
		p = append(p, ',')
	}
	switch {
	case value == nil:
	case len(value) > 0 && !bytes.ContainsAny(value, ",\"\r\n") && string(value) != endMark:
		if safe {
			p = harmless(p, value)
		}
		p = append(p, value...)
	default:
		p = append(p, '"')
		if safe {
			p = harmless(p, value)
		}
		for {
			quote := bytes.IndexByte(value, '"')
			if quote < 0 {
				break
			}
			p = append(append(p, value[:quote]...), `""`...)
			value = value[quote+1:]
		}
		p = append(append(p, value...), '"')
	}
	t.to.pending = p
}

// harmless puts a ' in front of what a spreadsheet would run (OWASP, CSV Injection).
func harmless(p, value []byte) []byte {
	if len(value) > 0 && bytes.IndexByte([]byte("=+-@\t\r"), value[0]) >= 0 {
		return append(p, '\'')
	}
	return p
}
