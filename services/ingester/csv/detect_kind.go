package csv

import (
	"bytes"
	"unicode/utf8"
)

// kind is what a value looks like.
type kind uint8

const (
	kindMissing kind = iota // nothing, or a mark that stands for nothing
	kindNumber              // with decimal comma or point, thousands, currency or percent
	kindDate
	kindClock
	kindMoment // a date with a time
	kindBoolean
	kindAddress // URL, e-mail, IP, UUID
	kindCode    // one word with digits
	kindName    // one word
	kindProse   // several words
	kindCount   // how many there are
)

// typed reports whether values of a kind can be told from names of columns.
func (k kind) typed() bool { return k >= kindNumber && k <= kindAddress }

const (
	longestTyped    = 60
	longestCurrency = 12 // bytes, those of spaces beyond ASCII and of an exponent included
)

// kindOf says what a value looks like, spaces around it aside.
func kindOf(value []byte) kind {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return kindMissing
	}
	if len(value) > longestTyped {
		if isURL(value) {
			return kindAddress
		}
		return kindProse
	}
	c := countCharacters(value)
	switch {
	case c.colons > 0 && isURL(value):
		return kindAddress
	case c.digits == 0 && isMissing(value):
		return kindMissing
	case c.digits == 0 && isBoolean(value):
		return kindBoolean
	case c.spaces == 0 && isAddress(value):
		return kindAddress
	case c.digits > 0 && c.letters <= longestCurrency && isNumber(value):
		return kindNumber
	case c.digits > 0 && isDigit(value[0]):
		if k := digital(value); k != kindProse {
			return k
		}
	}
	switch {
	case c.digits > 0 && c.letters >= 3 && isWrittenDate(value):
		return kindDate
	case c.others > 0 || c.spaces > 0:
		return kindProse
	case c.digits > 0:
		return kindCode
	}
	return kindName
}

// characters is how many of some kinds of characters a value has.
type characters struct{ digits, letters, spaces, colons, others int }

func countCharacters(value []byte) characters {
	var n characters
	for _, c := range value {
		switch {
		case isDigit(c):
			n.digits++
		case isLetter(c):
			n.letters++
		case c == ' ':
			n.spaces++
		case c == ':':
			n.colons++
		case c == '_' || c == '-' || c == '.' || c == '\'' || c == '/' || c == '#' || c == '+' || c == '*' || c == '%' ||
			c == '(' || c == ')' || c == '&': // parts of words
		default:
			n.others++
		}
	}
	return n
}

func isURL(value []byte) bool {
	scheme := bytes.Index(value, []byte("://"))
	if scheme < 1 || bytes.ContainsAny(value, " ,;|\t") || bytes.Contains(value[scheme+1:], []byte("://")) {
		return false
	}
	for _, c := range value[:scheme] {
		if !isLetter(c) {
			return false
		}
	}
	return true
}

// isAddress recognizes addresses other than URLs, in a value without spaces.
func isAddress(value []byte) bool {
	if at := bytes.IndexByte(value, '@'); at > 0 && bytes.IndexByte(value[at:], '.') > 1 && bytes.IndexByte(value[at+1:], '@') < 0 {
		return !bytes.ContainsAny(value, ",;|:\t")
	}
	if bytes.HasPrefix(value, []byte("www.")) {
		return !bytes.ContainsAny(value, ",;|\t")
	}
	if len(value) == 36 && value[8] == '-' && value[13] == '-' && value[18] == '-' && value[23] == '-' {
		return len(bytes.Trim(value, "0123456789abcdefABCDEF-")) == 0
	}
	return bytes.Count(value, []byte{'.'}) == 3 && len(bytes.Trim(value, "0123456789.")) == 0
}

func cutDigits(value []byte) (digits, rest []byte) {
	n := 0
	for n < len(value) && isDigit(value[n]) {
		n++
	}
	return value[:n], value[n:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isLetter counts all that is not ASCII among the letters.
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf }
