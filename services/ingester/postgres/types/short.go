package types

import (
	"math"
	"math/bits"
)

// shortNumber is what a number without a sign fits whose bytes, less than a word, are the first ones of the word. It is not
// sure of other values, and of some numbers: those are for fitting. Most values of most files are short numbers of changing
// length, which this takes without a branch for each digit.
func shortNumber(w uint64, length int) (fits set, sure bool) {
	if length == 0 || length >= wordSize {
		return 0, false
	}
	before := 8 * (wordSize - length) // bits
	digits := w<<before ^ ones*'0'<<before
	others := (digits&^highs + ones*(0x7F-9) | digits) & highs
	zero := digits>>before&0xFF == 0 // at the front
	if others == 0 {
		switch {
		case zero && length > 1:
			return 0, false
		case eightDigits(digits) <= math.MaxInt16:
			return numbers, true
		}
		return numbers &^ smallint, true
	}
	point := bits.TrailingZeros64(others)&^7 - before
	switch {
	case others&(others-1) != 0 || w>>point&0xFF != '.', point == 0, point == 8*(length-1): // no number, or no digit beside the point
		return 0, false
	case zero && (point > 8 || length == wordSize-1): // which may be too small for a double without an exponent
		return 0, false
	case digits>>56 == 0:
		return numeric, true
	}
	return numeric | double, true
}

// eightDigits is the number of eight digits, the highest first: pairs become one, then pairs of those.
func eightDigits(digits uint64) uint64 {
	digits = (digits*10 + digits>>8) & 0x00FF00FF00FF00FF
	digits = (digits*100 + digits>>16) & 0x0000FFFF0000FFFF
	return (digits*10000 + digits>>32) & 0xFFFFFFFF
}
