package columntype

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
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
	case size != len(stated.Group), !unicode.IsPunct(c) && !unicode.Is(unicode.Zs, c), c == '-':
		return errors.New("must be one character: a space, or punctuation but no minus")
	case stated.Group == t.point():
		return errors.New("must not be what separates decimals, too")
	}
	t.group = stated.Group
	return nil
}

// point is what separates the fraction of a number from the rest; "" where it has none.
func (t *Type) point() string {
	switch {
	case t.decimal != "":
		return t.decimal
	case t.kind == numeric, t.kind == float:
		return "."
	}
	return ""
}

func (t *Type) fitNumber(value []byte) (as []byte, fit Fit, why string) {
	as = value
	if t.decimal != "" || t.group != "" {
		if !t.plain(value) {
			return nil, Unfit, "it is no number" + t.manner()
		}
		as = t.room
	}
	if t.surely(bytes.Trim(as, " ")) {
		return as, Fits, ""
	}
	if t.kind == numeric && len(t.bounds) > 0 && !t.lax {
		most := 0
		if len(t.bounds) > 1 {
			most = t.bounds[1]
		}
		if fraction(bytes.Trim(as, " ")) > most {
			return nil, Unfit, fmt.Sprintf("it has more than %d digits behind the point, which %s would round", most, t.name)
		}
	}
	return as, Unsure, ""
}

func (t *Type) manner() string {
	var parts []string
	if t.point() != "" {
		parts = append(parts, "the decimal sign "+t.point())
	}
	if t.group != "" {
		parts = append(parts, fmt.Sprintf("%q between groups of three digits", t.group))
	}
	return " with " + strings.Join(parts, " and ")
}

// plain writes a number with a point and without groups into the room.
func (t *Type) plain(value []byte) bool {
	room, at, grouped, digits := t.room[:0], 0, false, 0
	if len(value) > 0 && (value[0] == '-' || value[0] == '+') {
		room, at = append(room, value[0]), 1
	}
	for ; at < len(value) && isDigit(value[at]) || t.isGroup(value[at:]); at++ {
		if isDigit(value[at]) {
			room = append(room, value[at])
			digits++
			continue
		}
		if grouped && digits != 3 || digits == 0 || digits > 3 {
			return false
		}
		at, grouped, digits = at+len(t.group)-1, true, 0
	}
	if grouped && digits != 3 {
		return false
	}
	if rest, point := value[at:], t.point(); point != "" && len(rest) > 0 && rest[0] == point[0] {
		room, at = append(room, '.'), at+1
	} else if len(rest) > 0 && (point == "" || rest[0]|0x20 != 'e') {
		return false
	}
	for _, c := range value[at:] { // a fraction and an exponent
		if !isDigit(c) && c|0x20 != 'e' && c != '-' && c != '+' {
			return false
		}
	}
	room = append(room, value[at:]...)
	t.room = room
	return true
}

func (t *Type) isGroup(text []byte) bool {
	return t.group != "" && string(prefix(text, len(t.group))) == t.group
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
