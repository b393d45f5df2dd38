package types

const (
	dateSize  = len("2024-01-01")
	minClock  = len("12:34:56")
	clockSize = minClock
	maxDigits = 6 // of a fraction of a second
)

// The shapes of what is written in eight bytes: without those of its shape, a digit is less than 10 and what stands between
// digits is nothing. Slack is what may be added to such a byte before its highest bit is set.
const (
	dateBytes  = 0x2D30302D30303030 // 0000-00-, from right to left
	dateSlack  = 0x7F76767F76767676
	clockBytes = 0x30303A30303A3030 // 00:00:00
	clockSlack = 0x76767F76767F7676
)

// fitsShape reports whether the digits are some, and the rest is nothing.
func fitsShape(digits, slack uint64) bool { return (digits|(digits+slack))&highs == 0 }

// pair is the number of two digits at a place.
func pair(digits uint64, at int) uint64 { return digits>>(8*at)&0xFF*10 + digits>>(8*at+8)&0xFF }

// moment is what a date, or a date and a time, fits.
func moment(value []byte) set {
	if len(value) < dateSize || !isDate(value) {
		return 0
	}
	if len(value) == dateSize {
		return date
	}
	var fits set
	switch value[dateSize] {
	case ' ':
		fits = separatorSpace
	case 'T':
		fits = separatorT
	default:
		return 0
	}
	value, zone := cutZone(value[dateSize+1:])
	if zone == 0 {
		fits |= timestamp
	} else {
		fits |= timestamptz | zone
	}
	fraction := fractionOf(value)
	if fraction == 0 {
		return 0
	}
	return fits | fraction
}

// isDate reports whether the first ten bytes are a day of the years 1 to 9999.
func isDate(value []byte) bool {
	digits := word(value, 0) ^ dateBytes
	if !fitsShape(digits, dateSlack) || !isDigit(value[8]) || !isDigit(value[9]) {
		return false
	}
	year, month, day := pair(digits, 0)*100+pair(digits, 2), pair(digits, 5), uint64(value[8]-'0')*10+uint64(value[9]-'0')
	return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
}

func daysOf(year, month uint64) uint64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// cutZone cuts the time zone off a time, which has to be UTC: Postgres keeps the instant, not the zone.
func cutZone(value []byte) (rest []byte, zone set) {
	n := len(value)
	switch {
	case n > 0 && value[n-1] == 'Z':
		return value[:n-1], zoneZ
	case n > 6 && string(value[n-6:]) == "+00:00":
		return value[:n-6], zoneLong
	case n > 3 && string(value[n-3:]) == "+00":
		return value[:n-3], zoneShort
	}
	return value, 0
}

// timeOfDay is what a time without a date fits.
func timeOfDay(value []byte) set {
	if fraction := fractionOf(value); fraction != 0 {
		return clock | fraction
	}
	return 0
}

// fractionOf is what the fraction of a second fits, or nothing if it is not one of a time.
func fractionOf(value []byte) set {
	if len(value) < clockSize {
		return 0
	}
	digits := word(value, 0) ^ clockBytes
	if !fitsShape(digits, clockSlack) || pair(digits, 0) > 23 || pair(digits, 3) > 59 || pair(digits, 6) > 59 {
		return 0
	}
	if len(value) == clockSize {
		return fractionShort
	}
	fraction := value[clockSize+1:]
	if value[clockSize] != '.' || len(fraction) == 0 || len(fraction) > maxDigits {
		return 0
	}
	for _, c := range fraction {
		if !isDigit(c) {
			return 0
		}
	}
	fits := fraction1 << (len(fraction) - 1)
	if fraction[len(fraction)-1] != '0' {
		fits |= fractionShort
	}
	return fits
}
