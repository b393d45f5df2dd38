package types

import "math/bits"

// set is a set of what values may fit: types, each in its own form or in another, and parts of the forms of moments. States
// are kept in ledgers as the bits of a set, so a bit never gets another meaning; a new one is added behind the others.
type set uint32

const (
	boolean      set = 1 << iota // true, false
	booleanShort                 // t, f
	smallint
	integer
	bigint
	numeric
	double
	date
	clock // time of day
	timestamp
	timestamptz
	fractionShort // of a second, without zeros at its end
	fraction1     // of one digit
	fraction2
	fraction3
	fraction4
	fraction5
	fraction6
	separatorSpace // between date and time
	separatorT
	zoneShort // +00
	zoneZ
	zoneLong // +00:00
	uuidLower
	uuidUpper
	jsonb

	kinds    = iota // how many bits there are
	every    = set(1<<kinds - 1)
	nothing  = set(1 << 31) // is fitted by no value: the column has none
	anything = every | nothing

	fractions  = fractionShort | fraction1 | fraction2 | fraction3 | fraction4 | fraction5 | fraction6
	separators = separatorSpace | separatorT
	zones      = zoneShort | zoneZ | zoneLong
	numbers    = smallint | integer | bigint | numeric | double
)

// holds reports whether the sets have anything in common.
func (s set) holds(some set) bool { return s&some != 0 }

// settled drops from what all of some values fit the types of moments that lack a part which they need, and then the parts
// that no type needs any more. So nothing is left of a column that is text.
func (s set) settled() set {
	if !s.holds(fractions) {
		s &^= clock | timestamp | timestamptz
	}
	if !s.holds(separators) {
		s &^= timestamp | timestamptz
	}
	if !s.holds(zones) {
		s &^= timestamptz
	}
	if !s.holds(timestamptz) {
		s &^= zones
	}
	if !s.holds(timestamp | timestamptz) {
		s &^= separators
	}
	if !s.holds(clock | timestamp | timestamptz) {
		s &^= fractions
	}
	return s
}

// possible reports whether there are values all of which fit the set and nothing else.
func (s set) possible() bool {
	if s.settled() != s {
		return false
	}
	kind := s &^ (fractions | separators | zones)
	switch {
	case s == 0, kind&^(uuidLower|uuidUpper) == 0:
		return true
	case kind&^numbers == 0:
		return (!s.holds(smallint) || s == numbers) && (!s.holds(integer) || s|smallint == numbers) && (!s.holds(bigint) || s.holds(numeric))
	}
	return kind.size() == 1 && (s&fractions&^fractionShort).size() <= 1 && (s&separators).size() <= 1 && (s&zones).size() <= 1
}

func (s set) size() int { return bits.OnesCount32(uint32(s)) }
