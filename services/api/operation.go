package api

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/pkg/apikey"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// operation is one call of the API, as openapi.yaml describes it.
type operation struct {
	id         string
	method     string
	template   string             // of the path, as in the document: /v1/jobs/{id}
	path       string             // as Echo writes it: /v1/jobs/:id
	scopes     []apikey.Scope     // which a key must have; none if no key is needed
	parameters []parameter        // in the document's order
	body       *jsonschema.Schema // of a body in JSON; nil if there is none
	tolerant   bool               // passes over query parameters that it does not know
}

// parameter is one of an operation.
type parameter struct {
	name     string
	in       string // query, path or header
	required bool
	list     bool   // may be given several times
	kind     string // of the value, or of each of a list: string, integer or boolean
	anyBytes bool   // of which the operation makes text itself
	schema   *jsonschema.Schema
}

// operations are all calls of the API.
type operations struct {
	document *document
	byRoute  map[string]*operation // by method and path
}

// of returns the operation that a request asks for, if there is such a one.
func (o *operations) of(c echo.Context) (*operation, bool) {
	found, ok := o.byRoute[c.Request().Method+" "+c.Path()]
	return found, ok
}

// describedOperations reads the document, once.
var describedOperations = sync.OnceValues(func() (*operations, error) {
	d, err := readDocument(openapi.Document)
	if err != nil {
		return nil, err
	}
	return d.operations()
})

// braced is a parameter in a path, as OpenAPI writes it.
var braced = regexp.MustCompile(`\{(\w+)\}`)

// tolerantTag is that of the calls of the first design, which pass over parameters that they do not know, as they always have.
const tolerantTag = "first design"

func (d *document) operations() (*operations, error) {
	all := &operations{document: d, byRoute: map[string]*operation{}}
	paths, _ := d.object("paths")
	for path := range paths {
		methods, _ := d.object("paths", path)
		for method := range methods {
			o, err := d.operation(path, method)
			if err != nil {
				return nil, err
			}
			all.byRoute[o.method+" "+o.path] = o
		}
	}
	return all, nil
}

func (d *document) operation(path, method string) (*operation, error) {
	described, pointer := d.object("paths", path, method)
	o := &operation{method: strings.ToUpper(method), template: path, path: braced.ReplaceAllString(path, ":$1")}
	o.id, _ = described["operationId"].(string)
	o.tolerant = contains(described["tags"], tolerantTag)
	o.scopes = scopesIn(described["security"])
	parameters, _ := described["parameters"].([]any)
	for i, one := range parameters {
		listed, _ := one.(map[string]any)
		p, err := d.parameter(listed, pointer+refusal.PointerTo("parameters", strconv.Itoa(i)))
		if err != nil {
			return nil, fmt.Errorf("reading %s %s: %w", method, path, err)
		}
		p.anyBytes = p.anyBytes || o.tolerant
		o.parameters = append(o.parameters, p)
	}
	if _, at := d.object("paths", path, method, "requestBody", "content", echo.MIMEApplicationJSON, "schema"); at != "" {
		var err error
		if o.body, err = d.schema(at); err != nil {
			return nil, fmt.Errorf("reading the body of %s %s: %w", method, path, err)
		}
	}
	return o, nil
}

func (d *document) parameter(listed map[string]any, pointer string) (parameter, error) {
	stated, at := d.resolve(listed, pointer)
	var p parameter
	p.name, _ = stated["name"].(string)
	p.in, _ = stated["in"].(string)
	p.required, _ = stated["required"].(bool)
	schema, err := d.schema(at + "/schema")
	if err != nil {
		return p, fmt.Errorf("reading parameter %s: %w", p.name, err)
	}
	p.schema = schema
	for schema.Ref != nil {
		schema = schema.Ref
	}
	if p.list = schema.Items2020 != nil; p.list {
		schema = schema.Items2020
	}
	if schema.Types == nil || len(schema.Types.ToStrings()) != 1 {
		return p, fmt.Errorf("parameter %s is of no single type", p.name)
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
