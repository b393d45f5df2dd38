package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// eachOperation calls visit for every operation of the document.
func eachOperation(visit func(name string, operation map[string]any)) {
	paths, _ := described().Object("paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods, _ := described().Object("paths", path)
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			operation, _ := described().Object("paths", path, method)
			visit(strings.ToUpper(method)+" "+path, operation)
		}
	}
}

// TestOperationsAreDescribed holds that each call says what it is, what it needs, and that it may be refused.
func TestOperationsAreDescribed(t *testing.T) {
	tags := map[string]bool{}
	root, _ := described().Object()
	listed, _ := root["tags"].([]any)
	for _, tag := range listed {
		named, _ := tag.(map[string]any)
		name, _ := named["name"].(string)
		tags[name] = false
		if described, _ := named["description"].(string); described == "" {
			t.Errorf("tag %s is not described", name)
		}
	}
	ids := map[string]string{}
	eachOperation(func(name string, o map[string]any) {
		id, _ := o["operationId"].(string)
		if !regexp.MustCompile(`^[a-z][A-Za-z]+$`).MatchString(id) || ids[id] != "" {
			t.Errorf("%s: the operationId %q is none, or that of %s, too", name, id, ids[id])
		}
		ids[id] = name
		summary, _ := o["summary"].(string)
		if summary == "" || len(summary) > 60 || strings.HasSuffix(summary, ".") {
			t.Errorf("%s: the summary %q is no short title", name, summary)
		}
		of, _ := o["tags"].([]any)
		if len(of) != 1 {
			t.Fatalf("%s: has the tags %v", name, of)
		}
		tag, _ := of[0].(string)
		if _, known := tags[tag]; !known {
			t.Errorf("%s: has the unknown tag %s", name, tag)
		}
		tags[tag] = true
		if _, said := o["security"]; !said {
			t.Errorf("%s: does not say whether it needs a key", name)
		}
		responses, _ := o["responses"].(map[string]any)
		fallback, _ := responses["default"].(map[string]any)
		if fallback["$ref"] != "#/components/responses/Problem" {
			t.Errorf("%s: does not say how it is refused", name)
		}
	})
	for tag, used := range tags {
		if !used {
			t.Errorf("no call has the tag %s", tag)
		}
	}
}

// plain are names that say enough by themselves.
var plain = regexp.MustCompile(`^(id|name|schema|table|type|state|status|priority|mode|source|code|message|rows|bytes|rejected|count|line|column|` +
	`column_name|reason|attempt|version|running|cancelling|retrying|queued|succeeded|failed|cancelled|urgent|normal|retryable|encoding|header|title|` +
	`detail|job_id|jobId|self|events|outcome|phase|fileUrl|dialect|nullable|checks|(\w+_)?at|bytes_per_second|total_bytes)$`)

// TestFieldsAreDescribed holds that each parameter and field is described, or has a name or a type that says enough.
func TestFieldsAreDescribed(t *testing.T) {
	eachOperation(func(name string, o map[string]any) {
		parameters, _ := o["parameters"].([]any)
		for _, one := range parameters {
			listed, _ := one.(map[string]any)
			p, _ := described().Resolve(listed, "")
			text, _ := p["description"].(string)
			if named, _ := p["name"].(string); text == "" && !plain.MatchString(named) {
				t.Errorf("%s: parameter %s is not described", name, named)
			}
		}
	})
	schemas, _ := described().Object("components", "schemas")
	for name := range schemas {
		schema, _ := schemas[name].(map[string]any)
		described().eachField(name, schema, func(path, field string, schema map[string]any) {
			text, _ := schema["description"].(string)
			items, _ := schema["items"].(map[string]any)
			if text == "" && schema["$ref"] == nil && items["$ref"] == nil && schema["enum"] == nil && !plain.MatchString(field) {
				t.Errorf("%s is not described", path)
			}
		})
	}
}

// eachField calls visit for every field of a schema, however deep.
func (d *description) eachField(path string, schema map[string]any, visit func(path, field string, schema map[string]any)) {
	properties, _ := schema["properties"].(map[string]any)
	for name := range properties {
		field, _ := properties[name].(map[string]any)
		visit(path+"."+name, name, field)
		d.eachField(path+"."+name, field, visit)
	}
	branches, _ := schema["oneOf"].([]any)
	for _, inner := range append(branches, schema["items"], schema["additionalProperties"]) {
		if inner, ok := inner.(map[string]any); ok {
			d.eachField(path, inner, visit)
		}
	}
}

// TestComponentsAreUsed holds that nothing is described that no call has.
func TestComponentsAreUsed(t *testing.T) {
	text := string(openapi.Document)
	components, _ := described().Object("components")
	for kind := range components {
		names, _ := components[kind].(map[string]any)
		for name := range names {
			if kind == "securitySchemes" {
				continue // TestOperation
			}
			if target := fmt.Sprintf("#/components/%s/%s", kind, name); !regexp.MustCompile(regexp.QuoteMeta(target) + `["'\s,}]`).MatchString(text) {
				t.Errorf("%s is used nowhere", target)
			}
		}
	}
}

// TestRequestsAreBounded holds that each text, number and list that a request may have has a limit in the document, or one that
// the code knows and its description tells.
func TestRequestsAreBounded(t *testing.T) {
	for _, name := range []string{"JobRequest", "PreviewRequest", "CSV", "ColumnType", "DownloadFileRequest"} {
		schema, _ := described().Object("components", "schemas", name)
		described().eachField(name, schema, func(path, _ string, s map[string]any) {
			text, _ := s["description"].(string)
			told := strings.Contains(text, "at most") || strings.Contains(text, "one ASCII character") || strings.Contains(text, "One character") ||
				strings.Contains(text, "Encoding Standard") || strings.Contains(text, "time zone")
			limit := map[string]string{"string": "maxLength", "array": "maxItems", "object": "maxProperties", "integer": "maximum"}
			kind, _ := s["type"].(string)
			if want := limit[kind]; want != "" && s[want] == nil && s["enum"] == nil && s["pattern"] == nil && !told {
				t.Errorf("%s of type %s has no limit", path, kind)
			}
			if kind == "object" && s["additionalProperties"] == nil {
				t.Errorf("%s lets anything through", path)
			}
		})
	}
}

// TestAllExamplesAreValid holds that what the document shows is as it says.
func TestAllExamplesAreValid(t *testing.T) {
	shown := 0
	var visit func(pointer string, at any)
	visit = func(pointer string, at any) {
		switch at := at.(type) {
		case []any:
			for i, inner := range at {
				visit(fmt.Sprintf("%s/%d", pointer, i), inner)
			}
		case map[string]any:
			for key, inner := range at {
				if key == "example" && (at["type"] != nil || at["oneOf"] != nil) {
					shown++
					body, err := json.Marshal(inner)
					if err == nil {
						err = described().valid(pointer, body)
					}
					if err != nil {
						t.Errorf("%s: the example %s: %v", pointer, body, err)
					}
					continue
				}
				visit(pointer+refusal.PointerTo(key), inner)
			}
		}
	}
	root, _ := described().Object()
	visit("", root)
	if shown < 20 {
		t.Errorf("only %d examples were found", shown)
	}
}
