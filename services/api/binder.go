package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyError(err, nil, into)
	}
	if !utf8.Valid(body) { // the decoder would change what it cannot read
		return refuse(codeInvalidRequest, "the body is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return bodyError(err, body, into)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refuse(codeInvalidRequest, "the body holds more than one JSON value")
	}
	return nil
}

func bodyError(err error, body []byte, into any) error {
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
		path, names := pathTo(field, body, reflect.TypeOf(into))
		object := "this request"
		switch {
		case path == nil: // in an object that stands there twice
			path = []string{field}
		case len(path) > 1:
			object = path[len(path)-2]
		}
		return refuse(codeInvalidRequest, "the body has a field that is not known",
			fieldError{pointerTo(path...), "is not a field of " + object + "; it has " + strings.Join(names, ", ")})
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

// pathTo finds the field of that name which the body has and its type has not, as the decoder does not say where it
// lies. It returns the names that the object has around it.
func pathTo(unknown string, body []byte, t reflect.Type) (path, names []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var object map[string]json.RawMessage
	if t.Kind() != reflect.Struct || json.NewDecoder(bytes.NewReader(body)).Decode(&object) != nil {
		return nil, nil
	}
	for field := range t.Fields() {
		names = append(names, fieldName(field))
	}
	matches := func(name string) bool { return strings.EqualFold(name, unknown) } // as for the decoder
	if _, there := object[unknown]; there && !slices.ContainsFunc(names, matches) {
		return []string{unknown}, names
	}
	for field := range t.Fields() {
		for name, value := range object {
			if !strings.EqualFold(name, fieldName(field)) {
				continue
			}
			if rest, names := pathTo(unknown, value, field.Type); rest != nil {
				return append([]string{name}, rest...), names
			}
		}
	}
	return nil, names
}

func fieldName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
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
	case reflect.Int, reflect.Int64:
		return "whole number"
	}
	return "number"
}
