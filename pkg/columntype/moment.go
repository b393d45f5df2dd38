package columntype

import (
	"bytes"
	"fmt"
)

// shape is what a moment is made of, as ISO 8601 and Postgres write it.
type shape struct {
	moment
	day, clock, zone bool // whether it has them
	valid            bool // whether Postgres takes it for sure, if it takes such moments
	rest             []byte
}

// midnight reports whether the clock says so.
func (s shape) midnight() bool {
	return s.part[hour] == 0 && s.part[minute] == 0 && s.part[second] == 0 && len(bytes.TrimRight(s.fraction, "0")) == 0
}

func (t *Type) fitMoment(value []byte) ([]byte, Fit, string) {
	if t.format != nil {
		return t.fitFormat(value)
	}
	if t.kind != clock && (string(value) == "infinity" || string(value) == "-infinity") {
		return value, Fits, ""
	}
	s := shapeOf(bytes.Trim(value, " "))
	if !t.lax {
		return t.fitShape(value, s)
	}
	whole := s.valid && len(s.rest) == 0 && len(s.fraction) <= maxFraction && t.bounds == nil
	if whole && s.day == (t.kind != clock) && (t.kind != date || !s.clock) && (t.kind != clock || s.clock) {
		return value, Fits, ""
	}
	return value, Unsure, ""
}

// fitShape takes what is written so that it can mean one moment only.
func (t *Type) fitShape(value []byte, s shape) ([]byte, Fit, string) {
	switch {
	case len(s.rest) > 0 || s.day != (t.kind != clock) || t.kind == clock && !s.clock:
		return nil, Unfit, fmt.Sprintf(`it is not written like %s; state its "format"`, examples[t.kind])
	case s.zone && t.kind != timestamptz:
		return nil, Unfit, "it has a time zone, which " + t.name + " would drop; state timestamptz"
	case t.kind == date && s.clock && !s.midnight():
		return nil, Unfit, "it has a time of day, which date would drop; state timestamp"
	case t.kind == timestamptz && !s.zone && t.zone == nil:
		return nil, Unfit, `it has no time zone; state one for the column, such as "zone": "UTC"`
	case s.part[second] == 60:
		return nil, Unfit, "it has a leap second, which Postgres would make the next minute"
	}
	if why := t.rounds(s.fraction); why != "" {
		return nil, Unfit, why
	}
	value = bytes.Trim(value, " ")
	if t.kind == date && s.clock {
		value = value[:dateSize]
	}
	if t.kind == timestamptz && !s.zone {
		t.room = append(t.room[:0], value...)
		if !s.clock {
			t.room = append(t.room, " 00:00"...)
		}
		if !s.valid { // Postgres says what is wrong
			return append(append(t.room, ' '), t.zone.String()...), Unsure, ""
		}
		return t.addZone(s.moment)
	}
	if !s.valid || len(s.fraction) > maxFraction {
		return value, Unsure, ""
	}
	return value, Fits, ""
}

const maxFraction = 6 // digits behind the second

// rounds tells if the type would round a fraction of a second.
func (t *Type) rounds(fraction []byte) string {
	most := maxFraction
	if len(t.bounds) > 0 {
		most = min(most, t.bounds[0])
	}
	if len(bytes.TrimRight(fraction, "0")) > most && t.kind != date {
		return fmt.Sprintf("it has more than %d digits behind the second, which %s would round", most, t.name)
	}
	return ""
}

var examples = map[kind]string{
	date: "2024-12-31", clock: "23:59:59", timestamp: "2024-12-31 23:59:59", timestamptz: "2024-12-31 23:59:59+00",
}

const dateSize = len("2024-12-31")

// shapeOf tells what a value is written like: a day, a time of day, or both.
func shapeOf(value []byte) shape {
	s := shape{rest: value}
	if len(value) >= dateSize && like(value[:dateSize], "0000-00-00") {
		s.day, s.rest = true, value[dateSize:]
		s.part[year], s.part[month], s.part[day] = digits(value[:4]), digits(value[5:7]), digits(value[8:10])
		s.valid = isDay(s.part[year], s.part[month], s.part[day])
		if len(s.rest) == 0 {
			return s
		}
		if s.rest[0] != ' ' && s.rest[0] != 'T' {
			return s
		}
		if !like(prefix(s.rest[1:], 5), "00:00") {
			return s
		}
		s.rest = s.rest[1:]
	} else {
		s.valid = true
	}
	return s.readClock()
}

func (s shape) readClock() shape {
	if !like(prefix(s.rest, 5), "00:00") {
		return s
	}
	s.part[hour], s.part[minute] = digits(s.rest[:2]), digits(s.rest[3:5])
	s.clock, s.rest = true, s.rest[5:]
	if like(prefix(s.rest, 3), ":00") {
		s.part[second], s.rest = digits(s.rest[1:3]), s.rest[3:]
		if len(s.rest) > 1 && s.rest[0] == '.' && isDigit(s.rest[1]) {
			n := 1
			for n < len(s.rest) && isDigit(s.rest[n]) {
				n++
			}
			s.fraction, s.rest = s.rest[1:n], s.rest[n:]
		}
	}
	s.valid = s.valid && s.part[hour] < 24 && s.part[minute] < 60 && s.part[second] < 60
	if !s.day {
		return s
	}
	if n := zoneSize(s.rest); n > 0 {
		s.zone, s.rest = true, s.rest[n:]
	}
	return s
}

// zoneSize is how long an offset from UTC is, or 0 if there is none: Z, +00, +0000 or +00:00.
func zoneSize(text []byte) int {
	if len(text) > 0 && text[0] == 'Z' {
		return 1
	}
	if len(text) == 0 || text[0] != '+' && text[0] != '-' {
		return 0
	}
	for _, form := range []string{"00:00", "0000", "00"} {
		if like(prefix(text[1:], len(form)), form) && digits(text[1:3]) < 15 && (len(form) == 2 || digits(text[len(form)-1:len(form)+1]) < 60) {
			return 1 + len(form)
		}
	}
	return 0
}

func prefix(text []byte, n int) []byte { return text[:min(n, len(text))] }

// like reports whether a text has digits where the form has zeros, and is the same elsewhere.
func like(text []byte, form string) bool {
	if len(text) != len(form) {
		return false
	}
	for i, c := range text {
		if form[i] == '0' && !isDigit(c) || form[i] != '0' && c != form[i] {
			return false
		}
	}
	return true
}

// digits is the number that some are.
func digits(text []byte) int {
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n
}

// isDay reports whether a year from 1 to 9999 has such a day.
func isDay(year, month, day int) bool {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 {
		return false
	}
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return day <= 29
		}
		return day <= 28
	case 4, 6, 9, 11:
		return day <= 30
	}
	return day <= 31
}
