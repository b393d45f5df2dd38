package types

import (
	"math"
	"math/bits"
	"strconv"
)

const (
	maxDouble    = len("-1.7976931348623157e+308") // no double is written longer
	minNormal    = 0x1p-1022                       // Postgres takes less than that only where the platform does
	minPlain     = 1e-4                            // from here on Postgres writes no exponent
	limitPlain   = 1e15                            // up to here
	mantissaBits = 53
)

// isDouble reports whether a number is what Postgres writes for the double that is nearest to it.
func isDouble(value []byte) bool {
	if len(value) > maxDouble {
		return false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	size := math.Abs(f)
	if err != nil || math.IsInf(f, 0) || size < minNormal && size != 0 {
		return false
	}
	format := byte('e')
	if size == 0 || size >= minPlain && size < limitPlain {
		format = 'f'
	}
	var buffer [maxDouble + 8]byte
	shortest := strconv.AppendFloat(buffer[:0], f, format, -1, 64)
	return string(shortest) == string(value) && !isHalfway(value)
}

// isHalfway reports whether a number lies exactly halfway between two neighboring doubles. Postgres never writes such a
// number for either, while Go does if it is the shortest.
func isHalfway(value []byte) bool {
	var digits uint64
	exponent, behindPoint := 0, false
	for at, c := range value {
		if c == 'e' {
			n, _ := strconv.Atoi(string(value[at+1:]))
			exponent += n
			break
		}
		switch {
		case c == '.':
			behindPoint = true
		case isDigit(c):
			digits = digits*10 + uint64(c-'0')
			if behindPoint {
				exponent--
			}
		}
	}
	if digits == 0 {
		return false
	}
	// Halfway numbers are an odd number of one bit more than doubles have, times a power of 2.
	for ; exponent < 0; exponent++ {
		if digits%5 != 0 {
			return false
		}
		digits /= 5
	}
	odd := digits >> bits.TrailingZeros64(digits)
	for ; exponent > 0; exponent-- {
		over, product := bits.Mul64(odd, 5)
		if over != 0 {
			return false
		}
		odd = product
	}
	return bits.Len64(odd) == mantissaBits+1 || odd == 1<<(mantissaBits+2)-1 // below a power of 2 they lie closer together
}
