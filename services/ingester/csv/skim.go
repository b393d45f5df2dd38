package csv

import (
	"bytes"
	"strconv"
)

// skimSize bounds the rows that are skimmed, in bytes.
const skimSize = 16 << 10

// skimmer encodes the rows that are as most rows are: whole, with a value for each column, not very long, and ended by
// LF or CRLF. The others, and all that is wrong, it leaves to the scanner. It changes nothing but the speed.
type skimmer struct {
	able      bool // whether the dialect allows it
	delimiter byte // 0 when the file has one column
	quote     byte // 0: none
	escape    byte // where that is not a quote; 0: none
	comment   byte // what a line of comment starts with; 0: none
	columns   int
	longest   int      // bytes of a row
	nulls     []string // what else than nothing stands for NULL
	longNull  int      // bytes of the longest of them
	empty     bool     // whether nothing stands for NULL
	placing   bool     // whether it is told where each row is
}

func newSkimmer(o Options, d Dialect, columns int) skimmer {
	k := skimmer{
		able: len(d.Delimiter) <= 1, quote: d.Quote, columns: columns, longest: min(skimSize, o.Limits.Field, o.Limits.Row),
	}
	if len(d.Delimiter) == 1 {
		k.delimiter = d.Delimiter[0]
	}
	if d.Escape != d.Quote {
		k.escape = d.Escape
	}
	if d.Comment != "" {
		k.comment = d.Comment[0]
	}
	for _, word := range o.Null {
		if word == "" {
			k.empty = true
			continue
		}
		k.nulls, k.longNull = append(k.nulls, word), max(k.longNull, len(word))
	}
	return k
}

// TellPlaces has ReadRows tell where each row is, once Columns has returned. Where the file is not UTF-8, reading takes longer.
func (r *Reader) TellPlaces() {
	r.skim.placing = true
	r.skim.able = r.skim.able && r.scan.in.charset.isUTF8() // or the places of bytes in the source are not known
}

// stop says why skimming has come to an end.
type stop int

const (
	goOn     stop = iota
	stopCut       // the next row does not end in what is at hand
	stopOdd       // the next row is for the scanner
	stopFull      // there is no room for another row
)

// pass is one go over the input at hand.
type pass struct {
	skimmer
	in   []byte // clean, with a word more of capacity
	out  []byte // as long as its capacity
	end  int    // behind what is written to out
	sep  byte
	null string
	tail string // of each row, up to its line or line end
	line int64  // of the input's first byte
	// What else is to be looked for; 0 if nothing is.
	foreignSep byte // sep, where that is not the file's delimiter

	at    int   // where the row in hand starts
	plain int   // where the rows start that are still to be copied as they are, up to the row in hand
	lined bool  // whether each row ends with its line
	rows  int64 // that were taken
	lines int64 // that they have

	marks
}

// marks are where the next byte of each kind lies at or behind the row in hand, or the input's end.
type marks struct{ lf, cr, quoteAt, backslash, escapeAt, foreign int }

// sight is what a pass saw of its input, for the next pass to go on from: what is rare lies far ahead, and not every pass
// gets there.
type sight struct {
	marks
	end    int
	offset int64 // of the input in the source's text
}

// skim appends to rows what it can of the input, which lies there in the source's text, and returns how many bytes and lines
// that was. The rows must have room for one at least.
func (k skimmer) skim(in []byte, at Place, rows *Rows, seen *sight) (used int, lines int64, why stop) {
	p := pass{
		skimmer: k, in: in, out: rows.Data[:cap(rows.Data)], end: len(rows.Data), sep: rows.Delimiter, null: rows.Null,
		line: at.Line, lined: rows.Lines, marks: marks{-1, -1, -1, -1, -1, -1},
	}
	if rows.Extra {
		p.tail = string(p.sep) + p.null
	}
	if p.lined {
		p.tail += string(p.sep)
	}
	if p.sep != k.delimiter {
		p.foreignSep = p.sep
	}
	p.resume(seen, int(at.Offset-seen.offset))
	for why == goOn {
		place := Place{at.Offset + int64(p.at), p.line + p.lines}
		if why = p.row(); why == goOn && p.placing {
			rows.Places = append(rows.Places, place)
		}
	}
	p.flush()
	*seen = sight{marks: p.marks, end: len(in), offset: at.Offset}
	rows.Data = rows.Data[:p.end]
	rows.Count += p.rows
	return p.at, p.lines, why
}

// resume takes over what was seen before so many bytes were used.
func (p *pass) resume(seen *sight, used int) {
	for _, m := range [...]struct {
		place *int
		was   int
		c     byte
	}{
		{&p.lf, seen.lf, '\n'},
		{&p.cr, seen.cr, '\r'},
		{&p.quoteAt, seen.quoteAt, p.quote},
		{&p.backslash, seen.backslash, '\\'},
		{&p.escapeAt, seen.escapeAt, p.escape},
		{&p.foreign, seen.foreign, p.foreignSep},
	} {
		if m.was < seen.end {
			*m.place = m.was - used
		} else {
			p.seek(m.place, m.c, max(seen.end-used, 0))
		}
	}
}

// row takes one row.
func (p *pass) row() stop {
	if why := p.look(); why != goOn {
		return why
	}
	end := p.lf
	if p.cr == end-1 {
		end--
	}
	row := p.in[p.at:end]
	if len(row) == 0 || row[0] == p.comment {
		return stopOdd
	}
	if min(p.quoteAt, p.cr, p.backslash, p.foreign) < end || p.longNull > 0 {
		return p.fields()
	}
	if bytes.Count(row, []byte{p.delimiter}) != p.columns-1 {
		return stopOdd
	}
	if p.null != nullNothing && p.empty && p.hasEmpty(row) {
		return p.fields()
	}
	if end < p.lf || len(p.tail) > 0 { // its line end is not for copying
		p.copyUpTo(end)
		p.end = p.endRow(p.end)
		p.plain = p.lf + 1
	}
	p.rows++
	p.lines++
	p.at = p.lf + 1
	return goOn
}

// endRow ends the row in hand, whose values are written up to a place, and returns the place behind it.
func (p *pass) endRow(to int) int {
	to += copy(p.out[to:], p.tail)
	if p.lined {
		to = len(strconv.AppendInt(p.out[:to], p.line+p.lines, 10))
	}
	p.out[to] = '\n'
	return to + 1
}

// look finds the end of the row in hand and what is in it.
func (p *pass) look() stop {
	if len(p.out)-p.end-(p.at-p.plain) < spareSize {
		return stopFull
	}
	if p.seek(&p.lf, '\n', p.at); p.lf-p.at > p.longest {
		return stopOdd
	}
	if p.lf == len(p.in) {
		return stopCut
	}
	p.seek(&p.quoteAt, p.quote, p.at)
	p.seekSpecial(p.at)
	return goOn
}

// seekSpecial finds what means something to COPY from a place on.
func (p *pass) seekSpecial(from int) {
	p.seek(&p.cr, '\r', from)
	p.seek(&p.backslash, '\\', from)
	p.seek(&p.escapeAt, p.escape, from)
	p.seek(&p.foreign, p.foreignSep, from)
}

// seek moves a place on to the next byte c, unless that lies ahead still. A c of 0 is none: the input has no NUL.
func (p *pass) seek(place *int, c byte, from int) {
	if *place >= from {
		return
	}
	if n := bytes.IndexByte(p.in[from:], c); n >= 0 {
		*place = from + n
	} else {
		*place = len(p.in)
	}
}

// hasEmpty reports whether a row without quotes has an empty field.
func (p *pass) hasEmpty(row []byte) bool {
	return row[0] == p.delimiter || row[len(row)-1] == p.delimiter || bytes.Contains(row, []byte{p.delimiter, p.delimiter})
}

// flush copies the plain rows up to the row in hand.
func (p *pass) flush() { p.copyUpTo(p.at); p.plain = p.at }

func (p *pass) copyUpTo(end int) {
	n := copy(p.out[p.end:], p.in[p.plain:end])
	if p.sep != p.delimiter {
		translate(p.out[p.end:p.end+n], p.delimiter, p.sep)
	}
	p.end += n
}
