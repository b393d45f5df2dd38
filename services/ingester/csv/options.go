package csv

import (
	"strings"
	"time"
	"unicode/utf8"

	"sluice/pkg/events"
)

// Dialect says how a file is written.
type Dialect struct {
	// Delimiter separates the fields of a row: one or several characters of UTF-8; empty when the file has one column.
	Delimiter string
	// Quote encloses fields that may contain delimiters and line ends, and is doubled where it is part of the value:
	// an ASCII byte; 0 when the file has no quotes, and then every quote is data.
	Quote byte
	// Escape makes a quote or itself part of the value inside quotes, besides doubling the quote: an ASCII byte such as a
	// backslash; 0 or the quote itself when there is none. Before any other byte it is data.
	Escape byte
	// HeaderRows is how many of the first rows name the columns; 0 when there is no header.
	HeaderRows int
	// SkipRows is how many lines lie above the header or, if there is none, the first row. LF, CRLF and CR end a line.
	SkipRows int
	// Comment starts a line that is skipped, wherever a row could start; empty when there are no comments.
	Comment string
}

// Limits bound what a file may ask of memory. A limit of 0 stands for its default.
type Limits struct {
	Field   int // bytes of a value, without its quotes; 16 MiB by default
	Row     int // bytes of a row, without its line end; 16 MiB by default
	Columns int // 1,600 by default, the most that a Postgres table can have
}

// Options say how to read a file. What is not said is strict: nothing is mended, and the first bad row is an error.
type Options struct {
	Dialect Dialect
	Limits  Limits
	// Stated is what is known of the file when the rest is to be detected; nil when Dialect is to be used as it is.
	Stated *Stated
	// Charset is the character encoding's label by what the server says of the file; empty if it says nothing.
	Charset string
	// Ready reports whether a read of the source would return at once, and waits so long until it would. With it the
	// detection makes do with less of a slow source; nil to wait however long it takes.
	Ready func(patience time.Duration) bool
	// Null lists what stands for NULL where it is not in quotes; nil stands for the empty field alone.
	Null []string
	// Snake asks for names of columns in lower snake case.
	Snake bool
	// Mend keeps quotes that were not doubled, where the row then has a field for each column and nothing else would fit.
	Mend bool
	// Rescue keeps values without a column as an array, see [Rows]; without it such a row is bad.
	Rescue bool
	// Lines has each row end with the line where it starts, see [Rows].
	Lines bool
	// Taken are names of columns, in lower case, that no column of the file gets.
	Taken []string
	// BadRows is how many rows may be rejected before that is an error.
	BadRows BadRows
	// Resume is how the file was read whose rows are to be read on, with the same options otherwise; nil to begin it.
	Resume *Resume
}

const (
	defaultLength  = 16 << 20
	defaultColumns = 1600
)

// DefaultOptions returns the dialect of RFC 4180 with a header, and the default limits.
func DefaultOptions() Options {
	return Options{
		Dialect: Dialect{Delimiter: ",", Quote: '"', HeaderRows: 1},
		Limits:  Limits{Field: defaultLength, Row: defaultLength, Columns: defaultColumns},
	}
}

func (o Options) withDefaults() Options {
	if o.Limits.Field == 0 {
		o.Limits.Field = defaultLength
	}
	if o.Limits.Row == 0 {
		o.Limits.Row = defaultLength
	}
	if o.Limits.Columns == 0 {
		o.Limits.Columns = defaultColumns
	}
	if o.Null == nil {
		o.Null = []string{""}
	}
	return o
}

// BadRows is how many rows may be rejected: a count or, where that is 0, a percentage of the rows read.
type BadRows struct {
	Count   int64
	Percent float64
}

// tolerant reports whether there may be bad rows.
func (o Options) tolerant() bool { return o.BadRows != BadRows{} }

// validate refuses options that would make the reading ambiguous. They come from the program, never from the file.
func (o Options) validate() error {
	d, l := o.Dialect, o.Limits
	switch {
	case strings.ContainsAny(d.Delimiter, "\r\n\x00") || !utf8.ValidString(d.Delimiter):
		return events.Failf(events.CodeInternal, "the delimiter %q is not text without line ends", d.Delimiter)
	case d.Quote != 0 && !separates(d.Quote):
		return events.Failf(events.CodeInternal, "the quote %q is not an ASCII byte other than a line end", d.Quote)
	case d.Escape != 0 && !separates(d.Escape):
		return events.Failf(events.CodeInternal, "the escape %q is not an ASCII byte other than a line end", d.Escape)
	case d.Escape != 0 && (strings.IndexByte(d.Delimiter, d.Escape) >= 0 || d.Quote == 0):
		return events.Failf(events.CodeInternal, "the escape %q is in the delimiter, or there is no quote to escape", d.Escape)
	case d.Quote != 0 && strings.IndexByte(d.Delimiter, d.Quote) >= 0:
		return events.Failf(events.CodeInternal, "the delimiter %q contains the quote", d.Delimiter)
	case strings.ContainsAny(d.Comment, "\r\n\x00") || d.HeaderRows < 0 || d.SkipRows < 0:
		return events.Failf(events.CodeInternal, "the comment %q contains a line end, or a number of rows is negative", d.Comment)
	case l.Field < 0 || l.Row < 0 || l.Columns < 0:
		return events.Failf(events.CodeInternal, "a limit of the reader is negative")
	}
	return nil
}

func separates(c byte) bool { return c != 0 && c != '\n' && c != '\r' && c < utf8.RuneSelf }

// report describes the dialect to the user.
func (d Dialect) report() events.Dialect {
	report := events.Dialect{
		Encoding: "UTF-8", Delimiter: d.Delimiter,
		Header: d.HeaderRows > 0, HeaderRows: d.HeaderRows, SkipRows: d.SkipRows, Comment: d.Comment,
	}
	if d.Quote != 0 {
		report.Quote = string(rune(d.Quote))
		report.Escape = report.Quote // a quote is escaped by another one
	}
	if d.Escape != 0 {
		report.Escape = string(rune(d.Escape))
	}
	return report
}
