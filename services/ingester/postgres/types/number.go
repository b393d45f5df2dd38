package types

import "math"

const (
	maxWhole    = 131072 // digits before the point that numeric has (PostgreSQL manual, "Numeric Types")
	maxFraction = 16383  // and behind it

	exactDigits  = 15 // any number of so many digits is the shortest one for its double
	doubleDigits = 17 // of the longest ones for a double
	plainZeros   = 3  // behind the point of a double that Postgres writes without an exponent
)

// number is what a number fits that starts with a digit or a minus.
func number(value []byte, asked set) set {
	at := 0
	if value[0] == '-' {
		at = 1
	}
	first, n := at, uint64(0)
	for at < len(value) && isDigit(value[at]) {
		n = n*10 + uint64(value[at]-'0')
		at++
	}
	whole := at - first
	if whole == 0 || whole > 1 && value[first] == '0' {
		return 0
	}
	if at == len(value) {
		return wholeNumber(n, whole, first > 0)
	}
	if value[at] == '.' {
		point := at
		for at++; at < len(value) && isDigit(value[at]); {
			at++
		}
		if at == len(value) {
			return decimal(value, first, point, asked)
		}
	}
	if value[at] == 'e' && asked.holds(double) && isDouble(value) {
		return double
	}
	return 0
}

// wholeNumber is what n fits, which has so many digits, and more than that if they are too many.
func wholeNumber(n uint64, digits int, negative bool) set {
	switch {
	case negative && n == 0 && digits == 1:
		return double // is zero to all others
	case digits > maxWhole:
		return 0
	case digits > 19: // which any uint64 has room for
		return numeric
	}
	fits := numeric
	if digits <= exactDigits {
		fits |= double
	}
	if negative {
		n-- // there is one more below zero
	}
	switch {
	case n <= math.MaxInt16:
		fits |= smallint | integer | bigint
	case n <= math.MaxInt32:
		fits |= integer | bigint
	case n <= math.MaxInt64:
		fits |= bigint
	}
	return fits
}

// decimal is what a number with a point fits, whose digits start at first.
func decimal(value []byte, first, point int, asked set) set {
	whole, fraction := point-first, len(value)-point-1
	if fraction == 0 || whole > maxWhole || fraction > maxFraction {
		return 0
	}
	zeros := 0 // at the front of a fraction without a whole number
	if value[first] == '0' {
		whole = 0
		for zeros < fraction && value[point+1+zeros] == '0' {
			zeros++
		}
	}
	fits := numeric
	if whole == 0 && zeros == fraction && first > 0 {
		fits = 0 // Postgres drops the minus
	}
	if digits := whole + fraction - zeros; value[len(value)-1] != '0' && zeros <= plainZeros && asked.holds(double) {
		if digits <= exactDigits || digits <= doubleDigits && isDouble(value) {
			fits |= double
		}
	}
	return fits
}
