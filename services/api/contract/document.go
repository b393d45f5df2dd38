package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"sluice/services/api/refusal"
)

// formatInt64 is what OpenAPI calls whole numbers of 64 bits (section 4.4).
const formatInt64 = "int64"

// documentName is what schemas call the document that they are in.
const documentName = "openapi.json"

// Document is an OpenAPI document, read to compare requests and answers with it.
type Document struct {
	root     map[string]any
	compiler *jsonschema.Compiler
}

// ReadDocument reads a document in YAML.
func ReadDocument(text []byte) (*Document, error) {
	var raw any
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data)) // with its own kind of numbers
	if err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	d := &Document{compiler: jsonschema.NewCompiler()}
	d.root, _ = value.(map[string]any)
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	d.compiler.RegisterFormat(&jsonschema.Format{Name: formatInt64, Validate: fitsInt64})
	if err := d.compiler.AddResource(documentName, value); err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	return d, nil
}

// fitsInt64 holds that a whole number has at most 64 bits.
func fitsInt64(v any) error {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	if whole, ok := new(big.Rat).SetString(n.String()); ok && whole.IsInt() && !whole.Num().IsInt64() {
		return fmt.Errorf("is not between %d and %d", math.MinInt64, math.MaxInt64)
	}
	return nil
}

// Object returns what lies at a path of keys, references followed but for those to schemas, and its JSON Pointer (RFC 6901),
// which is empty if there is no object.
func (d *Document) Object(keys ...string) (map[string]any, string) {
	at, pointer := d.root, ""
	for _, key := range keys {
		next, ok := at[key].(map[string]any)
		if !ok {
			return nil, ""
		}
		at, pointer = d.Resolve(next, pointer+refusal.PointerTo(key))
	}
	return at, pointer
}

// Resolve follows a reference to a part of the document that is no schema.
func (d *Document) Resolve(at map[string]any, pointer string) (map[string]any, string) {
	target, ok := at["$ref"].(string)
	if !ok || strings.HasPrefix(target, "#/components/schemas/") {
		return at, pointer
	}
	return d.Object(strings.Split(strings.TrimPrefix(target, "#/"), "/")...)
}

// Schema compiles what lies at a JSON Pointer.
func (d *Document) Schema(pointer string) (*jsonschema.Schema, error) {
	schema, err := d.compiler.Compile(documentName + "#" + pointer)
	if err != nil {
		return nil, fmt.Errorf("reading the schema at %s: %w", pointer, err)
	}
	return schema, nil
}
