package columntype

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"sluice/pkg/events"
)

const (
	sureDigits  = 18   // of a whole number that any of 64 bits can hold
	sureDecimal = 1000 // digits of a numeric that need no second look
	sureDouble  = 15   // digits before and behind the point that no double is too small for
)

func (t *Type) readDecimal(stated events.ColumnType) error {
	if stated.Decimal != "," && stated.Decimal != "." {
		return errors.New(`must be "," or "."`)
	}
	if stated.Decimal == "," {
		t.decimal = stated.Decimal
	}
	return nil
}

func (t *Type) readGroup(stated events.ColumnType) error {
	switch c, size := utf8.DecodeRuneInString(stated.Group); {
	case size != len(stated.Group), c == utf8.RuneError, c < 0x20, '0' <= c && c <= '9', c == '+', c == '-':
		return errors.New("must be one character that is no digit and no sign")
	case stated.Group == t.point():
		return errors.New("must not be what separates decimals, too")
	}
	t.group = stated.Group
	return nil
}

// point is what separates the fraction of a number from the rest.
func (t *Type) point() string {
	if t.decimal != "" {
		return t.decimal
	}
	return "."
}

func (t *Type) fitNumber(value, room []byte) (as []byte, fit Fit, why string) {
	as = value
	if t.decimal != "" || t.group != "" {
		var ok bool
		if as, ok = t.plain(value, room); !ok {
			return nil, Unfit, "it is no number" + t.manner()
		}
	}
	if t.surely(bytes.Trim(as, " ")) {
		return as, Fits, ""
	}
	if t.kind == numeric && len(t.bounds) > 0 && !t.lax {
		most := 0
		if len(t.bounds) > 1 {
			most = t.bounds[1]
		}
		if n := fraction(bytes.Trim(as, " ")); n > most {
			return nil, Unfit, fmt.Sprintf("it has %d digits behind the point, and %s would round it to %d", n, t.name, most)
		}
	}
	return as, Unsure, ""
}

func (t *Type) manner() string {
	how := " with the decimal sign " + t.point()
	if t.group != "" {
		how += fmt.Sprintf(" and %q between groups of three digits", t.group)
	}
	return how
}

// plain writes a number with a point and without groups.
func (t *Type) plain(value, room []byte) ([]byte, bool) {
	at, grouped, digits := 0, false, 0
	if len(value) > 0 && (value[0] == '-' || value[0] == '+') {
		room, at = append(room, value[0]), 1
	}
	for at < len(value) {
		rest := value[at:]
		switch {
		case isDigit(rest[0]):
			room = append(room, rest[0])
			at, digits = at+1, digits+1
			if grouped && digits > 3 {
				return nil, false
			}
			continue
		case t.group != "" && string(prefix(rest, len(t.group))) == t.group:
			if grouped && digits != 3 || digits == 0 || digits > 3 {
				return nil, false
			}
			at, grouped, digits = at+len(t.group), true, 0
			continue
		}
		break
	}
	if grouped && digits != 3 {
		return nil, false
	}
	if rest := value[at:]; len(rest) > 0 && rest[0] == t.point()[0] {
		room, at = append(room, '.'), at+1
	} else if len(rest) > 0 && rest[0]|0x20 != 'e' {
		return nil, false
	}
	for _, c := range value[at:] { // a fraction and an exponent
		if !isDigit(c) && c|0x20 != 'e' && c != '-' && c != '+' {
			return nil, false
		}
	}
	return append(room, value[at:]...), true
}

// surely reports whether the type takes a number without a second look.
func (t *Type) surely(value []byte) bool {
	at := 0
	negative := len(value) > 0 && value[0] == '-'
	if negative || len(value) > 0 && value[0] == '+' {
		at = 1
	}
	first, n := at, uint64(0)
	for at < len(value) && isDigit(value[at]) {
		n = n*10 + uint64(value[at]-'0')
		at++
	}
	whole, behind, last := at-first, 0, at
	if at < len(value) && value[at] == '.' {
		for at++; at < len(value) && isDigit(value[at]); at++ {
			if behind++; value[at] != '0' {
				last = at
			}
		}
		if behind == 0 {
			return false
		}
	}
	if whole == 0 || at < len(value) {
		return false
	}
	switch t.kind {
	case numeric:
		if whole+behind > sureDecimal {
			return false
		}
		scale := 0
		switch len(t.bounds) {
		case 0:
			return true
		case 2:
			scale = t.bounds[1]
		}
		significant := last - first - whole // with the point
		return whole <= t.bounds[0]-scale && max(significant, 0) <= scale
	case float:
		return t.bounds == nil && whole <= sureDouble && behind <= sureDouble
	}
	if behind > 0 || last != at || whole > sureDigits {
		return false
	}
	if negative && n > 0 {
		n-- // there is one more below zero
	}
	switch t.kind {
	case smallint:
		return n <= math.MaxInt16
	case integer:
		return n <= math.MaxInt32
	}
	return true
}

// fraction is how many digits are needed behind the point of a number, which may have an exponent; 0 if it is none.
func fraction(value []byte) int {
	exponent, mantissa := 0, value
	if at := bytes.IndexAny(value, "eE"); at >= 0 {
		mantissa = value[:at]
		if n, err := fmt.Sscanf(string(value[at+1:]), "%d", &exponent); n != 1 || err != nil || exponent < -1<<20 || exponent > 1<<20 {
			return 0
		}
	}
	behind := 0
	if at := bytes.IndexByte(mantissa, '.'); at >= 0 {
		behind = len(mantissa) - at - 1
	}
	digits := bytes.ReplaceAll(bytes.TrimLeft(mantissa, "+-"), []byte("."), nil)
	significant := bytes.TrimRight(digits, "0")
	for _, c := range significant {
		if !isDigit(c) {
			return 0
		}
	}
	if len(bytes.TrimLeft(significant, "0")) == 0 {
		return 0
	}
	return max(behind-exponent-(len(digits)-len(significant)), 0)
}
