package csv

import (
	"unicode/utf8"

	"sluice/pkg/events"
)

// Dialect says how a file is written.
type Dialect struct {
	// Delimiter separates the fields of a row: an ASCII byte; 0 stands for a comma.
	Delimiter byte
	// Quote encloses fields that may contain delimiters and line ends, and is doubled where it is part of the value:
	// an ASCII byte; 0 when the file has no quotes, and then every quote is data.
	Quote byte
	// Escape makes a quote or itself part of the value inside quotes, besides doubling the quote: an ASCII byte such as a
	// backslash; 0 or the quote itself when there is none. Before any other byte it is data.
	Escape byte
	// Header says that the first row names the columns.
	Header bool
}

// Limits bound what a file may ask of memory. A limit of 0 stands for its default.
type Limits struct {
	Field   int // bytes of a value, without its quotes; 16 MiB by default
	Row     int // bytes of a row in the source, without its line end; 16 MiB by default
	Columns int // 1,600 by default, the most that a Postgres table can have
}

// Options say how to read a file.
type Options struct {
	Dialect Dialect
	Limits  Limits
}

const (
	defaultLength  = 16 << 20
	defaultColumns = 1600
)

// DefaultOptions returns the dialect of RFC 4180 with a header, and the default limits.
func DefaultOptions() Options {
	return Options{
		Dialect: Dialect{Delimiter: ',', Quote: '"', Header: true},
		Limits:  Limits{Field: defaultLength, Row: defaultLength, Columns: defaultColumns},
	}
}

func (o Options) withDefaults() Options {
	if o.Dialect.Delimiter == 0 {
		o.Dialect.Delimiter = ','
	}
	if o.Limits.Field == 0 {
		o.Limits.Field = defaultLength
	}
	if o.Limits.Row == 0 {
		o.Limits.Row = defaultLength
	}
	if o.Limits.Columns == 0 {
		o.Limits.Columns = defaultColumns
	}
	return o
}

// validate refuses options that would make the reading ambiguous. They come from the program, never from the file.
func (o Options) validate() error {
	d, l := o.Dialect, o.Limits
	switch {
	case !separates(d.Delimiter):
		return events.Failf(events.CodeInternal, "the delimiter %q is not an ASCII byte other than a line end", d.Delimiter)
	case d.Quote != 0 && !separates(d.Quote):
		return events.Failf(events.CodeInternal, "the quote %q is not an ASCII byte other than a line end", d.Quote)
	case d.Escape != 0 && !separates(d.Escape):
		return events.Failf(events.CodeInternal, "the escape %q is not an ASCII byte other than a line end", d.Escape)
	case d.Escape != 0 && (d.Escape == d.Delimiter || d.Quote == 0):
		return events.Failf(events.CodeInternal, "the escape %q is the delimiter, or there is no quote to escape", d.Escape)
	case d.Quote == d.Delimiter:
		return events.Failf(events.CodeInternal, "the delimiter and the quote are both %q", d.Quote)
	case l.Field < 0 || l.Row < 0 || l.Columns < 0:
		return events.Failf(events.CodeInternal, "a limit of the reader is negative")
	}
	return nil
}

func separates(c byte) bool { return c != 0 && c != '\n' && c != '\r' && c < utf8.RuneSelf }

// report describes the dialect to the user.
func (d Dialect) report() events.Dialect {
	report := events.Dialect{Encoding: "UTF-8", Delimiter: string(rune(d.Delimiter)), Header: d.Header}
	if d.Quote != 0 {
		report.Quote = string(rune(d.Quote))
		report.Escape = report.Quote // a quote is escaped by another one
	}
	if d.Escape != 0 {
		report.Escape = string(rune(d.Escape))
	}
	return report
}
