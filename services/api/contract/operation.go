package contract

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/pkg/apikey"
	"sluice/services/api/refusal"
)

// Operation is one call of the API.
type Operation struct {
	ID         string
	Method     string
	Template   string         // of the path, as in the document: /v1/jobs/{id}
	Path       string         // as Echo writes it: /v1/jobs/:id
	Scopes     []apikey.Scope // which a key must have; none if no key is needed
	Parameters []Parameter    // in the document's order
	Tolerant   bool           // passes over query parameters that it does not know
	body       *jsonschema.Schema
}

// Parameter is one of an operation.
type Parameter struct {
	Name     string
	In       string // query, path or header
	Required bool
	list     bool   // may be given several times
	kind     string // of the value, or of each of a list: string, integer or boolean
	anyBytes bool   // of which the operation makes text itself
	schema   *jsonschema.Schema
}

// braced is a parameter in a path, as OpenAPI writes it.
var braced = regexp.MustCompile(`\{(\w+)\}`)

// tolerantTag is that of the calls of the first design, which pass over parameters that they do not know, as they always have.
const tolerantTag = "first design"

func (d *Document) operation(path, method string) (*Operation, error) {
	described, pointer := d.Object("paths", path, method)
	o := &Operation{Method: strings.ToUpper(method), Template: path, Path: braced.ReplaceAllString(path, ":$1")}
	o.ID, _ = described["operationId"].(string)
	o.Tolerant = contains(described["tags"], tolerantTag)
	o.Scopes = scopesIn(described["security"])
	parameters, _ := described["parameters"].([]any)
	for i, one := range parameters {
		listed, _ := one.(map[string]any)
		p, err := d.parameter(listed, pointer+refusal.PointerTo("parameters", strconv.Itoa(i)))
		if err != nil {
			return nil, fmt.Errorf("reading %s %s: %w", method, path, err)
		}
		p.anyBytes = p.anyBytes || o.Tolerant
		o.Parameters = append(o.Parameters, p)
	}
	if _, at := d.Object("paths", path, method, "requestBody", "content", echo.MIMEApplicationJSON, "schema"); at != "" {
		var err error
		if o.body, err = d.Schema(at); err != nil {
			return nil, fmt.Errorf("reading the body of %s %s: %w", method, path, err)
		}
	}
	return o, nil
}

func (d *Document) parameter(listed map[string]any, pointer string) (Parameter, error) {
	stated, at := d.Resolve(listed, pointer)
	var p Parameter
	p.Name, _ = stated["name"].(string)
	p.In, _ = stated["in"].(string)
	p.Required, _ = stated["required"].(bool)
	schema, err := d.Schema(at + "/schema")
	if err != nil {
		return p, fmt.Errorf("reading parameter %s: %w", p.Name, err)
	}
	p.schema = schema
	for schema.Ref != nil {
		schema = schema.Ref
	}
	if p.list = schema.Items2020 != nil; p.list {
		schema = schema.Items2020
	}
	if schema.Types == nil || len(schema.Types.ToStrings()) != 1 {
		return p, fmt.Errorf("parameter %s is of no single type", p.Name)
	}
	p.kind = schema.Types.ToStrings()[0]
	p.anyBytes, _ = stated["x-any-bytes"].(bool)
	return p, nil
}

// scopesIn reads security requirements: there is one for each operation, or [] where no key is needed. Without any an operation
// is for administrators: what was forgotten is not open.
func scopesIn(security any) []apikey.Scope {
	alternatives, stated := security.([]any)
	if !stated {
		return []apikey.Scope{apikey.Admin}
	}
	var scopes []apikey.Scope
	for _, alternative := range alternatives {
		schemes, _ := alternative.(map[string]any)
		names, _ := schemes["apiKey"].([]any)
		for _, name := range names {
			if scope, ok := name.(string); ok {
				scopes = append(scopes, apikey.Scope(scope))
			}
		}
	}
	return scopes
}

func contains(list any, text string) bool {
	items, _ := list.([]any)
	for _, item := range items {
		if item == text {
			return true
		}
	}
	return false
}
