package csv

// Rows are records in the text format of COPY (PostgreSQL manual, COPY, "Text Format"), with the options DELIMITER and
// NULL as told here. That format cannot tell an empty string from a NULL that is nothing, so that rows of a file that has
// both are written with another NULL than others.
type Rows struct {
	Data      []byte // its capacity is how much it takes
	Delimiter byte
	Null      string
	Count     int64
	FirstLine int64 // of the first record, from 1
	End       int64 // the offset in the source behind the last record
}

const (
	// MinRows is the least capacity of [Rows.Data] in bytes.
	MinRows = 2 * spareSize
	// spareSize is what the longest row that is skimmed may grow to, when all of its fields are NULL.
	spareSize = (1+len(nullMark))*skimSize + wordSize

	nullMark    = `\N` // stands for NULL where a file has quoted empty fields
	nullNothing = ""
)

// full reports whether there may be no room for another row.
func (r *Rows) full() bool { return cap(r.Data)-len(r.Data) < spareSize }

// begin settles the format before the first record.
func (r *Rows) begin(delimiter byte, null string) {
	if r.Count == 0 {
		r.Delimiter, r.Null = delimiter, null
	}
}

// appendValue adds a value, or NULL, which is nil.
func (r *Rows) appendValue(value []byte) {
	if value == nil {
		r.Data = append(r.Data, r.Null...)
		return
	}
	r.Data = appendEscaped(r.Data, value, r.Delimiter)
}

// appendEscaped appends a value with a backslash before what would mean something to COPY.
func appendEscaped(to, value []byte, delimiter byte) []byte {
	plain := 0
	for i, c := range value {
		switch c {
		case '\\', delimiter:
		case '\n':
			c = 'n'
		case '\r':
			c = 'r'
		default:
			continue
		}
		to = append(append(to, value[plain:i]...), '\\', c)
		plain = i + 1
	}
	return append(to, value[plain:]...)
}

// separator is the delimiter of [Rows]: the file's own where COPY allows it, so that plain rows are taken as they are,
// but a tab where values in quotes may contain it.
func separator(d Dialect, quoted bool) byte {
	switch c := d.Delimiter; {
	case quoted, c == '\\', c == '.', '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
		return '\t'
	default:
		return c
	}
}
