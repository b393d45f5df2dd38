package csv

import "strconv"

// Rows are records in the text format of COPY (PostgreSQL manual, COPY, "Text Format"), with the options DELIMITER and
// NULL as told here. That format cannot tell an empty string from a NULL that is nothing, so that rows of a file that has
// both are written with another NULL than others.
type Rows struct {
	Data      []byte // its capacity is how much it takes
	Delimiter byte
	Null      string
	Extra     bool // each row has one more value: NULL, or an array of the values that have no column
	Lines     bool // the last value of each row is the line where it starts
	Count     int64
	Places    []Place  // where the rows in Data are, if that is asked for
	Rejects   []Reject // rows that are not in Data
	FirstLine int64    // of the first record or reject, from 1
	End       int64    // the offset in the source behind the last one
	NextLine  int64    // the line there

	rejected int // bytes of Rejects
}

// Place is where a row starts in the source.
type Place struct {
	Offset int64 // in bytes, from 0
	Line   int64 // from 1
}

// ExtraColumn is the name that no column of a file gets whose values without a column are kept.
const ExtraColumn = "_extra"

const (
	// MinRows is the least capacity of [Rows.Data] in bytes.
	MinRows = 2 * spareSize
	// spareSize is what the longest row that is skimmed may grow to, when all of its fields are NULL.
	spareSize = (1+len(nullMark))*skimSize + tailSize + wordSize
	tailSize  = 1 + len(nullMark) + 1 + lineSize + 1 // bytes at the end of a row
	lineSize  = 19                                   // of the largest number

	nullMark    = `\N` // stands for NULL where a file has quoted empty fields
	nullNothing = ""
)

// records is how many records and rejects there are.
func (r *Rows) records() int64 { return r.Count + int64(len(r.Rejects)) }

// Empty reports whether there is neither a record nor a reject.
func (r *Rows) Empty() bool { return r.records() == 0 }

// full reports whether there may be no room for another row.
func (r *Rows) full() bool { return cap(r.Data)-len(r.Data) < spareSize || r.rejected >= rejectsSize }

// begin settles the format before the first record.
func (r *Rows) begin(as *Reader) {
	if r.Count == 0 {
		r.Delimiter, r.Null, r.Extra, r.Lines = as.sep, as.null, as.wide, as.opts.Lines
	}
}

func (r *Rows) reject(reject Reject) {
	r.Rejects = append(r.Rejects, reject)
	r.rejected += reject.size()
}

// appendExtra adds values as an array (PostgreSQL manual, "Array Input and Output Syntax"), or NULL if there are none.
func (r *Rows) appendExtra(values [][]byte) {
	r.Data = append(r.Data, r.Delimiter)
	if len(values) == 0 {
		r.Data = append(r.Data, r.Null...)
		return
	}
	array := []byte{'{'}
	for i, value := range values {
		if i > 0 {
			array = append(array, ',')
		}
		if value == nil {
			array = append(array, "NULL"...)
			continue
		}
		array = append(array, '"')
		for _, c := range value {
			if c == '"' || c == '\\' {
				array = append(array, '\\')
			}
			array = append(array, c)
		}
		array = append(array, '"')
	}
	r.appendValue(append(array, '}'))
}

// endRow ends a row that starts on a line.
func (r *Rows) endRow(line int64) {
	if r.Lines {
		r.Data = strconv.AppendInt(append(r.Data, r.Delimiter), line, 10)
	}
	r.Data = append(r.Data, '\n')
}

// appendValue adds a value, or NULL, which is nil.
func (r *Rows) appendValue(value []byte) {
	if value == nil {
		r.Data = append(r.Data, r.Null...)
		return
	}
	r.Data = AppendEscaped(r.Data, value, r.Delimiter)
}

// AppendEscaped appends a value with a backslash before what would mean something to COPY.
func AppendEscaped(to, value []byte, delimiter byte) []byte {
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
	if quoted || len(d.Delimiter) != 1 {
		return '\t'
	}
	switch c := d.Delimiter[0]; {
	case c == '\\', c == '.', '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
		return '\t'
	default:
		return c
	}
}
