package csv

import "bytes"

// digital is the kind of a value that starts with a digit, prose if it is none of those that have to.
func digital(value []byte) kind {
	switch rest, ok := cutDate(value); {
	case ok && len(rest) == 0:
		return kindDate
	case ok && (rest[0] == ' ' || rest[0] == 'T') && isClock(rest[1:]):
		return kindMoment
	}
	if isClock(value) {
		return kindClock
	}
	return kindProse
}

// cutDate cuts a date of digits off the front.
func cutDate(value []byte) (rest []byte, ok bool) {
	first, rest := cutDigits(value)
	if len(rest) == 0 {
		return value, false
	}
	sep := rest[0]
	if sep != '-' && sep != '/' && sep != '.' {
		return value, false
	}
	second, rest := cutDigits(rest[1:])
	if len(second) < 1 || len(second) > 2 || len(rest) == 0 || rest[0] != sep {
		return value, false
	}
	third, rest := cutDigits(rest[1:])
	switch {
	case len(first) == 4 && (len(third) == 1 || len(third) == 2):
		return rest, true
	case len(first) <= 2 && (len(third) == 4 || len(third) == 2):
		return rest, true
	}
	return value, false
}

// isClock recognizes a time, with or without seconds, AM or PM, and zone.
func isClock(value []byte) bool {
	hours, rest := cutDigits(value)
	if len(hours) < 1 || len(hours) > 2 || len(rest) < 3 || rest[0] != ':' {
		return false
	}
	minutes, rest := cutDigits(rest[1:])
	if len(minutes) != 2 {
		return false
	}
	if len(rest) > 0 && rest[0] == ':' {
		var seconds []byte
		if seconds, rest = cutDigits(rest[1:]); len(seconds) != 2 {
			return false
		}
		if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
			_, rest = cutDigits(rest[1:])
		}
	}
	switch rest = bytes.TrimSpace(rest); {
	case len(rest) == 0, len(rest) == 1 && rest[0] == 'Z', len(rest) >= 3 && (rest[0] == '+' || rest[0] == '-') && isDigit(rest[1]):
		return true
	}
	return bytes.EqualFold(rest, []byte("AM")) || bytes.EqualFold(rest, []byte("PM")) || bytes.Equal(rest, []byte("UTC"))
}

// isWrittenDate recognizes dates with a month in names: 5 Jan 2020, 05-Jan-20, Jan 5, 2020.
func isWrittenDate(value []byte) bool {
	months, digits, names := 0, 0, 0
	for len(value) > 0 {
		switch c := value[0]; {
		case isDigit(c):
			_, value = cutDigits(value)
			digits++
		case isLetter(c):
			word := value
			for len(value) > 0 && isLetter(value[0]) {
				value = value[1:]
			}
			word = word[:len(word)-len(value)]
			names++
			if listed(word, monthNames) {
				months++
			}
		case c == ' ' || c == '-' || c == ',' || c == '.' || c == '/':
			value = value[1:]
		default:
			return false
		}
	}
	return months == 1 && names == 1 && (digits == 1 || digits == 2)
}
