package csv

import "bytes"

// isNumber recognizes a number with sign, currency, percent, exponent, thousands and decimals as people write them.
func isNumber(value []byte) bool {
	value = bytes.Trim(value, "+-()%")
	value = trimCurrency(bytes.TrimSpace(value))
	value = bytes.TrimLeft(value, "+-")
	if exponent := bytes.IndexAny(value, "eE"); exponent > 0 && exponent+1 < len(value) {
		digits, rest := cutDigits(bytes.TrimLeft(value[exponent+1:], "+-"))
		if len(digits) == 0 || len(rest) > 0 {
			return false
		}
		value = value[:exponent]
	}
	for _, space := range []string{"\u00a0", "\u202f"} {
		if bytes.Contains(value, []byte(space)) {
			value = bytes.ReplaceAll(value, []byte(space), []byte(" "))
		}
	}
	whole, rest := cutDigits(value)
	if len(whole) == 0 && (len(rest) < 2 || rest[0] != '.' && rest[0] != ',') {
		return false
	}
	if len(rest) == 0 {
		return true
	}
	// Between the first digits and the last part, which may be decimals, there are only groups of thousands.
	sep := rest[0]
	for groups := 0; ; groups++ {
		last := rest[0]
		if last != '.' && last != ',' && last != ' ' && last != '\'' {
			return false
		}
		var digits []byte
		if digits, rest = cutDigits(rest[1:]); len(rest) == 0 {
			grouped := len(digits) == 3 && last == sep && len(whole) <= 3
			return grouped || (last == '.' || last == ',') && (groups == 0 || last != sep)
		}
		if len(digits) != 3 && len(digits) != 2 || last != sep || len(whole) > 3 {
			return false
		}
	}
}

// trimCurrency cuts a currency's sign or code off one end.
func trimCurrency(value []byte) []byte {
	if len(value) == 0 || isDigit(value[0]) && isDigit(value[len(value)-1]) {
		return value
	}
	for _, sign := range currencies {
		if bytes.HasPrefix(value, []byte(sign)) {
			return bytes.TrimSpace(value[len(sign):])
		}
		if bytes.HasSuffix(value, []byte(sign)) {
			return bytes.TrimSpace(value[:len(value)-len(sign)])
		}
	}
	return value
}
