package types

const uuidSize = len("01234567-89ab-cdef-0123-456789abcdef")

// uuid is what a text of its size fits: one in small letters, one in capitals, or both if there are none.
func uuid(value []byte) set {
	fits := uuidLower | uuidUpper
	for at, c := range value {
		switch {
		case at == 8 || at == 13 || at == 18 || at == 23:
			if c != '-' {
				return 0
			}
		case isDigit(c):
		case c-'a' < 6:
			fits &^= uuidUpper
		case c-'A' < 6:
			fits &^= uuidLower
		default:
			return 0
		}
	}
	return fits
}
