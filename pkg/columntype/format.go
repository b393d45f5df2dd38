package columntype

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/pkg/events"
)

// field is a part of a moment in a format, by its name there (PostgreSQL manual, "Template Patterns for Date/Time Formatting").
type field int

const (
	literal field = iota
	year
	shortYear // of two digits: 1970 to 2069
	month
	monthName
	day
	hour
	minute
	second
	fractionField
	halfDay // AM or PM
	zoneField
)

// fields are what formats are made of, the longer names first.
var fields = []struct {
	name  string
	field field
	width int // digits, at most
}{
	{"yyyy", year, 4}, {"yy", shortYear, 2}, {"month", monthName, 0}, {"mon", monthName, 0}, {"mm", month, 2}, {"mi", minute, 2},
	{"dd", day, 2}, {"hh24", hour, 2}, {"hh12", hour, 2}, {"hh", hour, 2}, {"ss", second, 2}, {"ff", fractionField, maxFraction},
	{"am", halfDay, 0}, {"pm", halfDay, 0}, {"tz", zoneField, 0},
}

var monthNames = []string{
	"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
}

const maxFormat = 64 // bytes

// format is how moments are written.
type format struct {
	text  string
	parts []part
	days  bool // whether it has them
	half  bool // whether its hours are those of half a day
}

type part struct {
	field field
	text  string // of a literal
	width int    // digits, at most
	exact bool   // whether it has that many
}

func (f *format) has(wanted ...field) bool {
	return slices.ContainsFunc(f.parts, func(p part) bool { return slices.Contains(wanted, p.field) })
}

func (t *Type) readFormat(stated events.ColumnType) error {
	f, err := parseFormat(stated.Format)
	if err != nil {
		return err
	}
	days, clocks := f.has(year, shortYear) && f.has(month, monthName) && f.has(day), f.has(hour)
	switch {
	case t.kind != clock && !days:
		return errors.New("needs a year (yyyy), a month (mm or mon) and a day (dd)")
	case t.kind == clock && !clocks:
		return errors.New("needs an hour (hh)")
	case t.kind == clock && f.has(year, shortYear, month, monthName, day), t.kind == date && f.has(hour, minute, second, fractionField),
		t.kind != timestamptz && f.has(zoneField):
		return fmt.Errorf("has parts that a %s does not have", t.name)
	case f.has(minute) && !clocks, f.has(second) && !f.has(minute), f.has(fractionField) && !f.has(second):
		return errors.New("has parts of a time (hh, mi, ss, ff) without the larger ones")
	case strings.Contains(strings.ToLower(stated.Format), "hh12") && !f.has(halfDay):
		return errors.New("has hh12 without am; hours of the whole day are hh")
	case f.has(halfDay) && !clocks:
		return errors.New("has am or pm without an hour (hh)")
	}
	f.days, f.half = days, f.has(halfDay)
	t.format = f
	return nil
}

func parseFormat(text string) (*format, error) {
	if len(text) > maxFormat {
		return nil, fmt.Errorf("is longer than %d bytes", maxFormat)
	}
	f := &format{text: text}
	seen := map[field]bool{}
	for at := 0; at < len(text); {
		p, size, err := nextPart(text[at:])
		if err != nil {
			return nil, err
		}
		at += size
		kind := map[field]field{shortYear: year, monthName: month}[p.field]
		if kind == literal {
			kind = p.field
		}
		if kind != literal && seen[kind] {
			hint := ""
			if kind == month {
				hint = "; mm is the month, and mi the minute"
			}
			return nil, fmt.Errorf("has a part twice: %s%s", strings.ToLower(text[at-size:at]), hint)
		}
		seen[kind] = true
		if n := len(f.parts); n > 0 && p.width > 0 && f.parts[n-1].width > 0 { // digits that nothing separates
			f.parts[n-1].exact, p.exact = true, p.field != fractionField
		}
		f.parts = append(f.parts, p)
	}
	return f, nil
}

// nextPart reads a field, a text in double quotes, or one character that stands for itself.
func nextPart(text string) (part, int, error) {
	lower := strings.ToLower(text)
	for _, known := range fields {
		if strings.HasPrefix(lower, known.name) {
			return part{field: known.field, width: known.width, exact: known.field == year || known.field == shortYear}, len(known.name), nil
		}
	}
	if text[0] == '"' {
		end := strings.IndexByte(text[1:], '"')
		if end < 1 {
			return part{}, 0, errors.New("has a double quote without another one behind some text")
		}
		return part{text: text[1 : 1+end]}, end + 2, nil
	}
	if c := text[0]; c != 'T' && ('a' <= c|0x20 && c|0x20 <= 'z' || isDigit(c)) {
		return part{}, 0, fmt.Errorf("has %q, which is no part of a format; what is to stand as it is goes in double quotes", text[:1])
	}
	return part{text: text[:1]}, 1, nil
}

// moment is what a value says.
type moment struct {
	part     [zoneField + 1]int
	fraction []byte
	zone     []byte
}

func (t *Type) fitFormat(value []byte) ([]byte, Fit, string) {
	room := t.room[:0]
	m, ok := t.format.read(value)
	if !ok || !m.valid(t.format) {
		return nil, Unfit, "it is not written as " + t.format.text + ", or there is no such " + t.noun()
	}
	if why := t.rounds(m.fraction); why != "" {
		return nil, Unfit, why
	}
	if t.kind != clock {
		room = append(appendPair(appendPair(room, m.part[year]/100), m.part[year]%100), '-')
		room = appendPair(append(appendPair(room, m.part[month]), '-'), m.part[day])
	}
	if t.kind != date && t.kind != clock {
		room = append(room, ' ')
	}
	if t.kind != date {
		room = append(appendPair(append(appendPair(room, m.part[hour]), ':'), m.part[minute]), ':')
		room = appendPair(room, m.part[second])
	}
	if len(m.fraction) > 0 {
		room = append(append(room, '.'), m.fraction...)
	}
	t.room = room
	switch {
	case t.kind == timestamptz && len(m.zone) > 0:
		t.room = append(t.room, m.zone...)
	case t.kind == timestamptz:
		return t.addZone(m)
	}
	return t.room, Fits, ""
}

func (t *Type) noun() string {
	switch t.kind {
	case date:
		return "day"
	case clock:
		return "time"
	}
	return "moment"
}

// appendPair adds a number as two digits.
func appendPair(to []byte, n int) []byte {
	const digits = "0123456789"
	return append(to, digits[n/10], digits[n%10])
}

// read takes a value apart.
func (f *format) read(value []byte) (m moment, ok bool) {
	for i := range f.parts {
		p, size := &f.parts[i], 0
		switch p.field {
		case literal:
			if size = len(p.text); string(prefix(value, size)) != p.text {
				return m, false
			}
		case monthName:
			m.part[month], size = readMonth(value)
		case halfDay:
			m.part[halfDay], size = readHalfDay(value)
		case zoneField:
			size = zoneSize(value)
			m.zone = value[:size]
		default:
			for size < len(value) && size < p.width && isDigit(value[size]) {
				size++
			}
			if p.exact && size < p.width {
				return m, false
			}
			m.set(p.field, value[:size])
		}
		if size == 0 {
			return m, false
		}
		value = value[size:]
	}
	return m, len(value) == 0
}

func (m *moment) set(f field, text []byte) {
	n := digits(text)
	switch {
	case f == fractionField:
		m.fraction = text
	case f == shortYear && n < 70:
		m.part[year] = 2000 + n
	case f == shortYear:
		m.part[year] = 1900 + n
	default:
		m.part[f] = n
	}
}

const (
	am = 1
	pm = 2
)

// valid reports whether there is such a moment, and turns the hours of a half day into those of a day.
func (m *moment) valid(f *format) bool {
	if f.days && !isDay(m.part[year], m.part[month], m.part[day]) {
		return false
	}
	if f.half {
		if m.part[hour] < 1 || m.part[hour] > 12 {
			return false
		}
		m.part[hour] %= 12
		if m.part[halfDay] == pm {
			m.part[hour] += 12
		}
	}
	return m.part[hour] < 24 && m.part[minute] < 60 && m.part[second] < 60
}

// readMonth reads the English name of a month, or its first three letters.
func readMonth(text []byte) (number, size int) {
	lower := bytes.ToLower(prefix(text, len("september")))
	for i, name := range monthNames {
		if bytes.HasPrefix(lower, []byte(name)) {
			return i + 1, len(name)
		}
		if bytes.HasPrefix(lower, []byte(name[:3])) {
			number, size = i+1, 3
		}
	}
	return number, size
}

func readHalfDay(text []byte) (half, size int) {
	switch string(bytes.ToLower(prefix(text, 2))) {
	case "am":
		return am, 2
	case "pm":
		return pm, 2
	}
	return 0, 0
}
