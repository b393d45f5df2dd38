package csv

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"sluice/pkg/events"
)

// shownSize is how many bytes of a value a message shows.
const shownSize = 64

func emptySource() error {
	return events.Failf(events.CodeEmptySource,
		"the source is empty, it has neither a header nor rows; check that its URL leads to the file that was meant")
}

func skippedAll(lines int) error {
	return events.Failf(events.CodeEmptySource,
		"the source has no rows behind the %d lines that are skipped; check skip_rows", lines)
}

func (s *scanner) unterminatedQuote() error {
	f := s.current
	return events.Failf(events.CodeUnterminatedQuote,
		"%s: the quote that opens here is never closed; close it, or enclose the value in quotes and double the quote",
		s.where(f.line)).AtPlace(f.line, s.column(), f.offset)
}

// strayQuote is due behind the quote at fault.
func (s *scanner) strayQuote() error {
	return events.Failf(events.CodeStrayQuote,
		"%s: the quoted value %q goes on behind its closing quote; double each quote that is part of a value",
		s.where(s.line), Shown(s.row[s.current.from:])).AtPlace(s.line, s.column(), s.in.source()-s.in.length([]byte{s.opts.Dialect.Quote}))
}

func (s *scanner) nulByte() error {
	return events.Failf(events.CodeNULByte,
		"%s: the value contains a NUL byte, which Postgres cannot store; remove it, or save the file as UTF-8 if it is UTF-16",
		s.where(s.line)).AtPlace(s.line, s.column(), s.in.source())
}

func (s *scanner) badEncoding() error {
	value := s.row[s.current.from:]
	bad := firstInvalid(value)
	line := s.current.line + lineEnds(value[:bad])
	offset := s.current.offset + s.in.length(value[:bad])
	ascii := s.in.length([]byte{'"'}) // a quote or an escape
	if s.current.quoted {
		offset += ascii
	}
	for _, at := range s.current.dropped {
		if at <= s.current.from+bad {
			offset += ascii
		}
	}
	if charset := s.in.charset; !charset.isUTF8() {
		return events.Failf(events.CodeBadEncoding, "%s: a byte is not valid %s; name the file's encoding, or save it as UTF-8",
			s.where(line), charset).AtPlace(line, s.column(), offset)
	}
	return events.Failf(events.CodeBadEncoding, "%s: the byte 0x%02X is not valid UTF-8; name the file's encoding, or save it as UTF-8",
		s.where(line), value[bad]).AtPlace(line, s.column(), offset)
}

func (s *scanner) fieldTooLong() error {
	f := s.current
	return events.Failf(events.CodeFieldTooLong, "%s: the value is longer than the limit of %s; %s",
		s.where(f.line), size(s.opts.Limits.Field), s.suspicion()).AtPlace(f.line, s.column(), f.offset)
}

func (s *scanner) rowTooLong() error {
	return events.Failf(events.CodeRowTooLong, "line %d: the row is longer than the limit of %s; %s",
		s.started, size(s.opts.Limits.Row), s.suspicion()).AtPlace(s.started, 0, s.origin)
}

func (s *scanner) tooManyColumns() error {
	f := s.current
	return events.Failf(events.CodeTooManyColumns,
		"line %d: the first row has more than %d columns, which is the limit; check the delimiter, or split the file",
		f.line, s.opts.Limits.Columns).AtPlace(f.line, s.column(), f.offset)
}

func (s *scanner) tooManyFields() error {
	f, n, noun := s.current, len(s.columns), "columns"
	if n == 1 {
		noun = "column"
	}
	return events.Failf(events.CodeTooManyFields,
		"%s: the value %q has no column, as the file has only %d %s; quote values that contain a %s, or name the column in the header",
		s.where(f.line), Shown(s.row[f.from:]), n, noun, showDelimiter(s.opts.Dialect.Delimiter)).AtPlace(f.line, s.column(), f.offset)
}

// suspicion says what to look at when something is too long.
func (s *scanner) suspicion() string {
	if s.current.quoted {
		return fmt.Sprintf("check that the quote that opens in line %d is closed", s.current.line)
	}
	return "check the delimiter and the line ends"
}

// column is the current field's, from 1.
func (s *scanner) column() int64 { return int64(len(s.fields) + s.surplus + 1) }

// where names the current field for the user.
func (s *scanner) where(line int64) string {
	n := s.column()
	if n <= int64(len(s.columns)) {
		return fmt.Sprintf("line %d, column %d (%q)", line, n, s.columns[n-1].Name)
	}
	return fmt.Sprintf("line %d, column %d", line, n)
}

func showDelimiter(d string) string {
	if c, width := utf8.DecodeRuneInString(d); width == len(d) {
		return strconv.QuoteRune(c)
	}
	return strconv.Quote(d)
}

// Shown cuts a value for a message. What it cuts off may be anything, also half a character.
func Shown(value []byte) string {
	if len(value) <= shownSize {
		return string(value)
	}
	return Cut(string(value[:shownSize]), shownSize-len("…")) + "…"
}

// firstInvalid is where the first byte lies that is not UTF-8, or the value's length.
func firstInvalid(value []byte) int {
	at := 0
	for at < len(value) {
		r, width := utf8.DecodeRune(value[at:])
		if r == utf8.RuneError && width == 1 {
			break
		}
		at += width
	}
	return at
}

// lineEnds counts LF, CRLF and CR.
func lineEnds(text []byte) int64 {
	return int64(bytes.Count(text, []byte{'\n'}) + bytes.Count(text, []byte{'\r'}) - bytes.Count(text, []byte("\r\n")))
}

func size(n int) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
