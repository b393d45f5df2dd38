// Package refusal has the errors that callers of the API get to see.
package refusal

import "strings"

// Error is why a request is refused.
type Error struct {
	Code   Code
	Detail string
	Fields []Field
	cause  error // for the log
}

// Field says what is wrong with a field of a body, which has a JSON Pointer (RFC 6901), or with a parameter, which has a name.
type Field struct{ Pointer, Detail string }

// At says what is wrong with a field or a parameter.
func At(pointer, detail string) Field { return Field{Pointer: pointer, Detail: detail} }

// Error implements error, for the log.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

// Unwrap returns the cause, which callers don't see.
func (e *Error) Unwrap() error { return e.cause }

// New refuses a request.
func New(c Code, detail string, fields ...Field) *Error {
	return &Error{Code: c, Detail: detail, Fields: fields}
}

// BadField refuses a request for one field.
func BadField(pointer, detail string) *Error { return BadFields(Field{pointer, detail}) }

// BadFields refuses a request for its fields. The first of them is told in the detail, too.
func BadFields(bad ...Field) *Error {
	name := strings.ReplaceAll(strings.TrimPrefix(bad[0].Pointer, "/"), "/", ".")
	if name == "" {
		name = "the body"
	}
	return New(InvalidRequest, name+" "+bad[0].Detail, bad...)
}

// Because adds the cause, for the log.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// PointerTo is the JSON Pointer (RFC 6901) to a field of the body, or to the body itself.
func PointerTo(names ...string) string {
	var pointer strings.Builder
	for _, name := range names {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return pointer.String()
}
