package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/services/api/refusal"
)

// Binder reads a JSON body, and refuses what the document does not say of it: a misspelt option must not be ignored.
type Binder struct {
	Contract *Contract
	// Meaning says what is wrong with a request that is of the right types, but for what the document can say.
	Meaning func(request any) error
}

// Bind implements [echo.Binder] for request bodies.
func (b Binder) Bind(into any, c echo.Context) error {
	if err := isJSONMedia(c.Request().Header.Get(echo.HeaderContentType)); err != nil {
		return err
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		if tooLarge, ok := errors.AsType[*echo.HTTPError](err); ok {
			return tooLarge
		}
		return refusal.New(refusal.InvalidRequest, "the body did not come to its end").Because(err)
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	if o, ok := b.Contract.Of(c); ok && o.body != nil {
		bad, err := b.Contract.document.checkBody(o.body, body)
		if err != nil {
			return err
		}
		if len(bad) > 0 {
			return refusal.BadFields(b.withMeaning(into, body, bad)...)
		}
	}
	if err := json.Unmarshal(body, into); err != nil {
		wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
		if !ok {
			return fmt.Errorf("reading the body: %w", err)
		}
		return refusal.BadField(refusal.PointerTo(strings.FieldsFunc(wrong.Field, func(r rune) bool { return r == '.' })...),
			"must be written as a whole number, without a point and a power of ten") // else the schemas have told
	}
	return nil
}

// withMeaning joins what the schema says is wrong with a request with what its meaning says, so that all of it is told at once.
// Where both say something of a field, the meaning says it better.
func (b Binder) withMeaning(into any, body []byte, bad []refusal.Field) []refusal.Field {
	if json.Unmarshal(body, into) != nil { // what is of a wrong type means nothing
		return bad
	}
	refused, ok := errors.AsType[*refusal.Error](b.Meaning(into))
	if !ok {
		return bad
	}
	var all []refusal.Field
	for _, f := range refused.Fields {
		if !slices.ContainsFunc(bad, func(told refusal.Field) bool { return strings.HasPrefix(told.Pointer, f.Pointer+"/") }) {
			all = append(all, f) // else the schema is more precise
		}
	}
	told := slices.Clone(all)
	for _, one := range bad {
		if !slices.ContainsFunc(told, func(f refusal.Field) bool { return strings.HasPrefix(f.Pointer+"/", one.Pointer+"/") }) {
			all = append(all, one)
		}
	}
	return all[:min(len(all), MaxFields)]
}

// isJSONMedia refuses what does not claim to be JSON, which is always in UTF-8.
func isJSONMedia(contentType string) error {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != echo.MIMEApplicationJSON {
		return refusal.New(refusal.UnsupportedMediaType, "send the body as JSON, with the header Content-Type: application/json")
	}
	if charset, stated := parameters["charset"]; stated && !strings.EqualFold(charset, "utf-8") {
		return refusal.New(refusal.UnsupportedMediaType, "send the body in UTF-8: JSON has no other encoding")
	}
	return nil
}

// checkBody compares a body with its schema. A field that is null is as if it were left out.
func (d *Document) checkBody(schema *jsonschema.Schema, body []byte) ([]refusal.Field, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	leaveOutNulls(schema, value)
	return d.violations(schema, value)
}

// leaveOutNulls removes from objects the fields of a schema that are null.
func leaveOutNulls(schema *jsonschema.Schema, value any) {
	if schema.Ref != nil {
		leaveOutNulls(schema.Ref, value)
	}
	for _, branch := range slices.Concat(schema.OneOf, schema.AnyOf, schema.AllOf) {
		leaveOutNulls(branch, value)
	}
	switch value := value.(type) {
	case map[string]any:
		others, _ := schema.AdditionalProperties.(*jsonschema.Schema)
		for name, field := range value {
			known, ok := schema.Properties[name]
			switch {
			case ok && field == nil:
				delete(value, name)
			case ok:
				leaveOutNulls(known, field)
			case others != nil:
				leaveOutNulls(others, field)
			}
		}
	case []any:
		if schema.Items2020 != nil {
			for _, item := range value {
				leaveOutNulls(schema.Items2020, item)
			}
		}
	}
}
