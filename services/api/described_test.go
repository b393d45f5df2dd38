package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/services/api/contract"
	"sluice/services/api/openapi"
)

// description is openapi.yaml, read to compare the API with it.
type description struct {
	*contract.Document
	mu  sync.Mutex // of the compiler, and of
	met map[string]bool
}

var described = sync.OnceValue(func() *description {
	d, err := contract.ReadDocument(openapi.Document)
	if err != nil {
		panic(err)
	}
	return &description{Document: d, met: map[string]bool{}}
})

// path returns the documented path that a request's path is an instance of.
func (d *description) path(requested string) (string, bool) {
	paths, _ := d.Object("paths")
	for path := range paths {
		template, segments := strings.Split(path, "/"), strings.Split(requested, "/")
		if len(template) != len(segments) {
			continue
		}
		for i, s := range template {
			if strings.HasPrefix(s, "{") && segments[i] != "" {
				segments[i] = s
			}
		}
		if slices.Equal(template, segments) {
			return path, true
		}
	}
	return "", false
}

// allows checks an answer's status, media type, headers and body. What is not documented at all must be a problem.
func (d *description) allows(method, requested string, a answer) error {
	if method == http.MethodOptions && a.status == http.StatusNoContent && a.header.Get("Allow") != "" {
		return nil
	}
	head := method == http.MethodHead // which is GET without a body
	if head {
		method = http.MethodGet
	}
	keys := d.response(method, requested, a.status)
	headers, _ := d.Object(append(slices.Clone(keys), "headers")...)
	for name := range headers {
		header, _ := d.Object(append(slices.Clone(keys), "headers", name)...)
		if header["required"] == true && a.header.Get(name) == "" {
			return fmt.Errorf("header %s is missing", name)
		}
	}
	content, _ := d.Object(append(slices.Clone(keys), "content")...)
	if content == nil {
		if len(a.body) > 0 {
			return fmt.Errorf("status %d has a body, which is not documented", a.status)
		}
		d.happened(keys, "")
		return nil
	}
	media, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("reading the media type: %w", err)
	}
	_, pointer := d.Object(append(slices.Clone(keys), "content", media, "schema")...)
	switch {
	case pointer == "":
		return fmt.Errorf("status %d with media type %s is not documented", a.status, media)
	case head:
		return nil
	}
	d.happened(keys, media)
	switch media {
	case eventStream:
		return validStream(a.body)
	case "application/json", "application/problem+json":
		return d.valid(pointer, a.body)
	}
	return nil
}

// response is where the document tells of an answer.
func (d *description) response(method, requested string, status int) []string {
	path, _ := d.path(requested)
	if _, pointer := d.Object("paths", path, strings.ToLower(method)); pointer == "" {
		return []string{"components", "responses", "Problem"}
	}
	keys := []string{"paths", path, strings.ToLower(method), "responses", strconv.Itoa(status)}
	if _, pointer := d.Object(keys...); pointer == "" {
		keys[len(keys)-1] = "default"
	}
	return keys
}

func (d *description) valid(pointer string, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	schema, err := d.Schema(pointer)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// colon is a parameter in a path, as Echo writes it.
var colon = regexp.MustCompile(`:(\w+)`)

func TestRoutesAreThoseDescribed(t *testing.T) {
	e, ok := New(DefaultConfig(), nil, noKey).Handler().(*echo.Echo)
	if !ok {
		t.Fatal("the handler is not Echo's")
	}
	registered := map[string]bool{}
	for _, route := range e.Routes() {
		if route.Method == http.MethodHead { // goes with GET: TestHeadIsGetWithoutBody
			continue
		}
		registered[route.Method+" "+colon.ReplaceAllString(route.Path, "{$1}")] = true
	}
	documented := map[string]bool{}
	paths, _ := described().Object("paths")
	for path := range paths {
		operations, _ := described().Object("paths", path)
		for method := range operations {
			documented[strings.ToUpper(method)+" "+path] = true
		}
	}
	if !maps.Equal(registered, documented) {
		t.Errorf("registered are %v, documented %v", slices.Sorted(maps.Keys(registered)), slices.Sorted(maps.Keys(documented)))
	}
}

func TestDescriptionIsServed(t *testing.T) {
	e := newEnv(t)
	a := e.get(t, "/openapi.yaml")
	if a.status != http.StatusOK || !bytes.Equal(a.body, openapi.Document) {
		t.Errorf("answered %d with %d bytes, the document has %d", a.status, len(a.body), len(openapi.Document))
	}
}

// TestExamplesAreValid holds that what the document shows as an example of a request is as described, and accepted.
func TestExamplesAreValid(t *testing.T) {
	e := newEnv(t)
	examples, _ := described().Object("paths", "/v1/jobs", "post", "requestBody", "content", "application/json", "examples")
	for name := range examples {
		example, _ := examples[name].(map[string]any)
		body, err := json.Marshal(example["value"])
		if err != nil {
			t.Fatal(err)
		}
		if err := described().valid("/components/schemas/JobRequest", body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		e.create(t, string(body))
	}
	e.expectStored(t, 4)
}
