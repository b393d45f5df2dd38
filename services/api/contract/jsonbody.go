package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/services/api/refusal"
)

// What JSON may be, whatever it says.
const (
	maxDepth     = 32      // objects and lists within one another
	maxValues    = 50_000  // and texts, numbers and so on, in all
	maxFieldName = 1 << 10 // bytes; what is said of a field repeats its name
	maxDigits    = 64      // of a number, and
	maxExponent  = 400     // its power of ten: exact arithmetic takes long with more
)

// checkJSON refuses what is no JSON (RFC 8259), and what not every reader takes for the same: fields that are there twice, and
// texts that are no Unicode (RFC 7493).
func checkJSON(body []byte) error {
	if bytes.HasPrefix(body, []byte("\ufeff")) {
		return refusal.New(refusal.InvalidRequest, "the body begins with a byte order mark; send it without")
	}
	if !utf8.Valid(body) {
		return refusal.New(refusal.InvalidRequest, "the body is not valid UTF-8: "+place(body, firstInvalid(body)))
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	for values := 0; ; values++ {
		token, err := decoder.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return refusal.New(refusal.InvalidRequest, "the body is empty; send a JSON object")
		case err != nil:
			return syntaxError(err, body)
		case decoder.StackDepth() > maxDepth:
			return refusal.New(refusal.InvalidRequest, fmt.Sprintf("the body is nested more than %d deep", maxDepth))
		case values > maxValues:
			return refusal.New(refusal.InvalidRequest, fmt.Sprintf("the body has more than %d values", maxValues))
		case token.Kind() == '"' && len(token.String()) > maxFieldName && namesField(decoder):
			return refusal.New(refusal.InvalidRequest, fmt.Sprintf("the body has a field with a name of more than %d bytes", maxFieldName),
				refusal.At(string(decoder.StackPointer().Parent()), fmt.Sprintf("has a field with a name of more than %d bytes", maxFieldName)))
		case token.Kind() == '0' && !isPlain(token.String()):
			return refusal.BadField(string(decoder.StackPointer()), "is a number with too many digits")
		}
		if decoder.StackDepth() == 0 {
			return checkEnd(body, int(decoder.InputOffset()))
		}
	}
}

// checkEnd holds that there is nothing behind the value but white space.
func checkEnd(body []byte, end int) error {
	rest := bytes.TrimLeft(body[end:], " \t\r\n")
	if len(rest) == 0 {
		return nil
	}
	return refusal.New(refusal.InvalidRequest, "the body holds more than one JSON value: another begins at "+place(body, len(body)-len(rest)))
}

// namesField reports whether the text that was read last is the name of a field.
func namesField(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == '{' && length%2 == 1
}

// isPlain reports whether arithmetic with a number is quick.
func isPlain(number string) bool {
	if len(number) > maxDigits {
		return false
	}
	_, exponent, there := strings.Cut(strings.ToLower(number), "e")
	power, err := strconv.Atoi(exponent)
	return !there || err == nil && -maxExponent <= power && power <= maxExponent
}

func syntaxError(err error, body []byte) error {
	wrong, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return fmt.Errorf("reading JSON: %w", err)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return refusal.BadField(string(wrong.JSONPointer), "is there twice")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refusal.New(refusal.InvalidRequest, "the body ends in the middle of the JSON")
	}
	at := min(int(wrong.ByteOffset), len(body)-1)
	found, _ := utf8.DecodeRune(body[at:])
	what := "unexpected " + strconv.Quote(string(found))
	if found == '\\' {
		what = "an escape that stands for no character"
	}
	what += " at " + place(body, at)
	return refusal.New(refusal.InvalidRequest,
		"the body is not valid JSON: "+what, refusal.At(string(wrong.JSONPointer), "is not valid JSON: "+what))
}

// place is where a byte lies, in lines and characters, both from 1.
func place(body []byte, at int) string {
	before := body[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(before[start:])+1)
}

// firstInvalid is where the text stops to be UTF-8.
func firstInvalid(text []byte) int {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}
