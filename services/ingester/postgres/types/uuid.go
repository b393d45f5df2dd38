package types

const uuidSize = len("01234567-89ab-cdef-0123-456789abcdef")

// uuid is what a text of its size fits: one in small letters, one in capitals, or both if there are none.
func uuid(value []byte) set {
	if value[8] != '-' || value[13] != '-' || value[18] != '-' || value[23] != '-' {
		return 0
	}
	fits := uuidLower | uuidUpper
	for _, w := range [...]uint64{
		word(value, 0), fours(word(value, 9), word(value, 14)), fours(word(value, 19), word(value, 24)), word(value, 28),
	} {
		digits, lower, upper := between(w, '0', '9'), between(w, 'a', 'f'), between(w, 'A', 'F')
		if w&highs != 0 || digits|lower|upper != highs {
			return 0
		}
		if lower != 0 {
			fits &^= uuidUpper
		}
		if upper != 0 {
			fits &^= uuidLower
		}
	}
	return fits
}

// fours is the first four bytes of each.
func fours(one, other uint64) uint64 { return one<<32>>32 | other<<32 }
