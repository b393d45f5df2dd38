package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"reflect"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// strictBinder reads a JSON body and refuses what it does not know: a misspelt option must not be ignored.
type strictBinder struct{}

// Bind implements [echo.Binder] for request bodies.
func (strictBinder) Bind(into any, c echo.Context) error {
	r := c.Request()
	if media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || media != echo.MIMEApplicationJSON {
		return refuse(codeUnsupportedMediaType, "send the body as JSON, with the header Content-Type: application/json")
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return bodyError(err, into)
	}
	var tooLarge *echo.HTTPError
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLarge):
		return err
	}
	return refuse(codeInvalidRequest, "the body holds more than one JSON value")
}

func bodyError(err error, into any) error {
	var wrongType *json.UnmarshalTypeError
	var tooLarge *echo.HTTPError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.As(err, &wrongType):
		path := strings.FieldsFunc(wrongType.Field, func(r rune) bool { return r == '.' })
		return refuse(codeInvalidRequest, "a field of the body has the wrong type",
			fieldError{pointerTo(path...), "must be of type " + typeName(wrongType.Type) + ", not " + wrongType.Value})
	case errors.Is(err, io.EOF):
		return refuse(codeInvalidRequest, "the body is empty; send a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(codeInvalidRequest, "the body ends in the middle of the JSON")
	}
	if field, ok := unknownField(err); ok {
		return refuse(codeInvalidRequest, "the body has a field that is not known",
			fieldError{pointerTo(field), "is not a field of this request; it has " + fieldNames(into)})
	}
	return refuse(codeInvalidRequest, "the body is not valid JSON")
}

// unknownField reads the name out of the decoder's message, which has no type of its own. The answer's code does not
// depend on it.
func unknownField(err error) (string, bool) {
	quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field ")
	name, quoteErr := strconv.Unquote(quoted)
	return name, ok && quoteErr == nil
}

// pointerTo is the JSON Pointer (RFC 6901) to a field of the body, or to the body itself.
func pointerTo(names ...string) string {
	var pointer strings.Builder
	for _, name := range names {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return pointer.String()
}

func fieldNames(of any) string {
	t := reflect.TypeOf(of)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	}
	return "number"
}
