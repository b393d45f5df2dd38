package columntype

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/pkg/events"
)

// Fit says how a value stands to a type.
type Fit int

// What a value is to a type.
const (
	Fits   Fit = iota // it is taken, and says the same
	Null              // it is a word for NULL
	Unsure            // Postgres has to be asked
	Unfit             // it is not taken, or would lose something
)

// Refusal is what the database says of a value that a type does not take.
type Refusal struct {
	Place  int // among the values that it was asked about, from 0
	Reason string
}

// Type is the type of a column and how the file writes its values. It is for one goroutine.
type Type struct {
	name   string // as SQL writes it
	kind   kind
	bounds []int // in parentheses behind the name: of numeric digits and those behind the point, of others their length
	lax    bool  // whether what the type itself does to a value is done
	domain bool  // whether it has rules of its own, about which Postgres has to be asked

	words   words
	decimal string // "" for a point
	group   string // "" for none
	format  *format
	zone    *time.Location // nil for none

	room []byte // for what is written anew
}

// kind is a type of which more is known than its name.
type kind int

const (
	other kind = iota // Postgres knows
	text
	character
	boolean
	smallint
	integer
	bigint
	numeric
	float
	date
	clock
	timestamp
	timestamptz
	uuid
)

var kinds = map[string]kind{
	"text": text, "varchar": text, "character varying": text, "char": character, "character": character, "bpchar": character,
	"boolean": boolean, "bool": boolean,
	"smallint": smallint, "int2": smallint, "integer": integer, "int": integer, "int4": integer, "bigint": bigint, "int8": bigint,
	"numeric": numeric, "decimal": numeric, "real": float, "float4": float, "double precision": float, "float8": float, "float": float,
	"date": date, "time": clock, "time without time zone": clock,
	"timestamp": timestamp, "timestamp without time zone": timestamp,
	"timestamptz": timestamptz, "timestamp with time zone": timestamptz,
	"uuid": uuid,
}

func (k kind) isNumber() bool { return smallint <= k && k <= float }
func (k kind) isMoment() bool { return date <= k && k <= timestamptz }

// typeName is a type as SQL writes it, in lower case: words, lengths, words again and dimensions. It has no quotes, so that
// it can be nothing but a name.
var typeName = regexp.MustCompile(`^([a-z_][a-z0-9_]*(?:[ .][a-z_][a-z0-9_]*)*)( ?\( ?(\d{1,5}) ?(?:, ?(\d{1,5}) ?)?\))?` +
	`((?: [a-z]+)*)((?:\[\])*)$`)

const maxName = 200 // bytes of a type's name

// OptionError says which option of a stated type is wrong.
type OptionError struct {
	Option string // by its name in JSON
	Why    string
}

// Error returns the option and why.
func (e *OptionError) Error() string { return e.Option + " " + e.Why }

// Parse reads a stated type. It fails with an [*OptionError]. Whether the database has the type is for it to say.
func Parse(stated events.ColumnType) (*Type, error) {
	t, err := named(stated.Type)
	if err != nil {
		return nil, &OptionError{"type", err.Error()}
	}
	for _, option := range []struct {
		name   string
		given  bool
		usable bool
		of     string
		read   func(events.ColumnType) error
	}{
		{"format", stated.Format != "", t.kind.isMoment(), "date, time, timestamp and timestamptz", t.readFormat},
		{"zone", stated.Zone != "", t.kind == timestamptz, "timestamptz", t.readZone},
		{"decimal", stated.Decimal != "", t.kind == numeric || t.kind == float, "numeric, real and double precision", t.readDecimal},
		{"group", stated.Group != "", t.kind.isNumber(), "numbers", t.readGroup},
		{"true", stated.True != nil, t.kind == boolean, "boolean", t.readWords},
		{"false", stated.False != nil, t.kind == boolean, "boolean", t.readWords},
		{"null", stated.Null != nil, true, "", t.readNull},
	} {
		if !option.given {
			continue
		}
		if !option.usable {
			return nil, &OptionError{option.name, "is only for " + option.of}
		}
		if err := option.read(stated); err != nil {
			return nil, &OptionError{option.name, err.Error()}
		}
	}
	if t.kind == timestamptz && t.format != nil && !t.format.has(zoneField) && t.zone == nil {
		return nil, &OptionError{"format", "has no time zone (tz), and no zone is stated"}
	}
	return t, nil
}

// Existing is the type of a column that exists, by how Postgres writes it and, of a domain, what lies below; under is the same as
// written otherwise. What such a type does to a value, such as rounding it, is done. It is nil if the column takes any text.
func Existing(written, under string) *Type {
	t := &Type{lax: true}
	if t.Resolve(written, under); t.kind == text && t.bounds == nil && !t.domain {
		return nil
	}
	return t
}

// Resolve makes the type the one that Postgres has found by its name, see [Existing].
func (t *Type) Resolve(written, under string) {
	t.kind, t.bounds = other, nil
	if is, err := named(under); err == nil { // others have names in quotes
		t.kind, t.bounds = is.kind, is.bounds
	}
	t.name, t.domain = written, written != under
}

func named(name string) (*Type, error) {
	lower := strings.Join(strings.Fields(strings.ToLower(name)), " ")
	parts := typeName.FindStringSubmatch(lower)
	if parts == nil || len(lower) > maxName {
		return nil, errors.New("must be the name of a type of Postgres, such as integer or numeric(10,2)")
	}
	if lower == "name" {
		return nil, errors.New("must not be name, which cuts values; use text")
	}
	t := &Type{name: lower}
	for _, bound := range parts[3:5] {
		if n, err := strconv.Atoi(bound); err == nil {
			t.bounds = append(t.bounds, n)
		}
	}
	if parts[6] == "" {
		t.kind = kinds[parts[1]+parts[5]]
	}
	if t.kind == character && t.bounds == nil {
		t.bounds = []int{1}
		if parts[1] == "bpchar" {
			t.kind, t.bounds = text, nil
		}
	}
	return t, nil
}

// Name is the type's name in SQL.
func (t *Type) Name() string { return t.name }

// AlwaysFits reports whether all values fit as they are.
func (t *Type) AlwaysFits() bool {
	return t.kind == text && t.bounds == nil && t.words.null == nil && !t.domain
}

// Fit tells how a value that is not NULL stands to the type, and how it is written for Postgres, until the next call. Of a value
// that is unfit it says why.
func (t *Type) Fit(value []byte) (as []byte, fit Fit, why string) {
	if t.words.null != nil && slices.Contains(t.words.null, string(value)) {
		return nil, Null, ""
	}
	if as, fit, why = t.fit(value); fit == Fits && t.domain {
		fit = Unsure
	}
	return as, fit, why
}

func (t *Type) fit(value []byte) (as []byte, fit Fit, why string) {
	switch {
	case t.kind == text, t.kind == character:
		return t.fitText(value)
	case t.kind == boolean:
		return t.fitBoolean(value)
	case t.kind.isNumber():
		return t.fitNumber(value)
	case t.kind.isMoment():
		return t.fitMoment(value)
	case t.kind == uuid && isUUID(value):
		return value, Fits, ""
	}
	return value, Unsure, ""
}

func (t *Type) fitText(value []byte) ([]byte, Fit, string) {
	if len(t.bounds) == 0 || len(value) <= t.bounds[0] {
		return value, Fits, ""
	}
	counted := value
	if t.lax && t.kind == character {
		counted = bytes.TrimRight(value, " ")
	}
	if n := utf8.RuneCount(counted); n > t.bounds[0] {
		return nil, Unfit, fmt.Sprintf("it has %d characters, and %s takes %d", n, t.name, t.bounds[0])
	}
	return value, Fits, ""
}

func isUUID(value []byte) bool {
	if len(value) != len("01a1ff8e-7160-7994-90cf-204ee61cbd5a") {
		return false
	}
	for i, c := range value {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}

func isDigit(c byte) bool { return c-'0' <= 9 }
