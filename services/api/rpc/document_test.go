package rpc

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"gopkg.in/yaml.v3"

	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/services/api/openapi"
)

// object is one of openapi.yaml.
type object map[string]any

func document(t testing.TB) object {
	t.Helper()
	var all object
	if err := yaml.Unmarshal(openapi.Document, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// at returns what lies at a path of keys, references followed.
func (o object) at(keys ...string) object {
	at := o
	for _, key := range keys {
		at, _ = at[key].(object)
		at = o.resolved(at)
	}
	return at
}

func (o object) resolved(at object) object {
	if target, ok := at["$ref"].(string); ok {
		return o.at(strings.Split(strings.TrimPrefix(target, "#/"), "/")...)
	}
	return at
}

// texts returns a list of texts.
func (o object) texts(key string) []string {
	var all []string
	list, _ := o[key].([]any)
	for _, one := range list {
		text, _ := one.(string)
		all = append(all, text)
	}
	return all
}

func (o object) parameters(path, method string) map[string]string {
	all := map[string]string{}
	list, _ := o.at("paths", path, method)["parameters"].([]any)
	for _, one := range list {
		listed, _ := one.(object)
		stated := o.resolved(listed)
		name, _ := stated["name"].(string)
		all[name], _ = stated["in"].(string)
	}
	return all
}

func services() []protoreflect.ServiceDescriptor {
	return []protoreflect.ServiceDescriptor{
		sluicev1.File_sluice_v1_jobs_proto.Services().ByName("JobService"),
		sluicev1.File_sluice_v1_results_proto.Services().ByName("ResultService"),
		sluicev1.File_sluice_v1_datasets_proto.Services().ByName("DatasetService"),
	}
}

// TestCallsAreOperations holds that each call has its operation, that the document has that, and that what can be said to the
// one can be said to the other.
func TestCallsAreOperations(t *testing.T) {
	// What a call says otherwise than by a field: how it wants its answer, and what it knows already.
	said := map[string]bool{"format": true, "formula_safe": true, "If-None-Match": true, "Last-Event-ID": true, "Idempotency-Key": true}
	d, left := document(t), operations()
	for _, service := range services() {
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			procedure := "/" + string(service.FullName()) + "/" + string(method.Name())
			o, ok := left[procedure]
			delete(left, procedure)
			verb := strings.ToLower(o.method)
			if id := d.at("paths", o.path, verb)["operationId"]; !ok || id == nil {
				t.Errorf("%s is no operation of the document", procedure)
				continue
			}
			stated := d.parameters(o.path, verb)
			for name := range d.at("paths", o.path, verb, "requestBody", "content", "application/json", "schema", "properties") {
				stated[name] = "body"
			}
			fields := method.Input().Fields()
			for name, in := range stated {
				paged := (name == "cursor" || name == "limit") && method.IsStreamingServer()
				if fields.ByName(protoreflect.Name(name)) == nil && !said[name] && !paged {
					t.Errorf("%s has no field for the %s %s", procedure, in, name)
				}
			}
			for i := range fields.Len() {
				name := string(fields.Get(i).Name())
				if stated[name] == "" && name != "after_sequence" {
					t.Errorf("%s has a field %s, and the operation has no such thing", procedure, name)
				}
			}
		}
	}
	for procedure := range left {
		t.Errorf("%s is no call", procedure)
	}
}

// counterparts are the messages for schemas.
func counterparts() map[string]protoreflect.ProtoMessage {
	return map[string]protoreflect.ProtoMessage{
		"JobRequest": (*sluicev1.CreateJobRequest)(nil), "CSV": (*sluicev1.CSV)(nil), "ColumnType": (*sluicev1.ColumnType)(nil),
		"Job": (*sluicev1.Job)(nil), "Progress": (*sluicev1.Progress)(nil), "JobError": (*sluicev1.JobError)(nil),
		"Warning": (*sluicev1.Warning)(nil), "Links": (*sluicev1.Links)(nil), "JobTotals": (*sluicev1.JobTotals)(nil),
		"JobList": (*sluicev1.ListJobsResponse)(nil), "Event": (*sluicev1.Event)(nil),
		"JobResult": (*sluicev1.JobResult)(nil), "Column": (*sluicev1.Column)(nil), "Dialect": (*sluicev1.Dialect)(nil),
		"Durations": (*sluicev1.Durations)(nil), "Reject": (*sluicev1.Reject)(nil), "RejectList": (*sluicev1.ListRejectsResponse)(nil),
		"Dataset": (*sluicev1.Dataset)(nil), "DatasetColumn": (*sluicev1.DatasetColumn)(nil),
		"DatasetList": (*sluicev1.ListDatasetsResponse)(nil), "RowList": (*sluicev1.ListRowsResponse)(nil),
	}
}

// TestFieldsHaveTheirPlaces holds that messages have the fields that the document's schemas have, of the same types and with
// the same words, and tell what is left out from what is zero.
func TestFieldsHaveTheirPlaces(t *testing.T) {
	d := document(t)
	for schema, message := range counterparts() {
		properties := d.at("components", "schemas", schema, "properties")
		required := d.at("components", "schemas", schema).texts("required")
		fields := message.ProtoReflect().Descriptor().Fields()
		if len(properties) == 0 || fields.Len() != len(properties) {
			t.Errorf("%s has %d properties, %s %d fields", schema, len(properties), message.ProtoReflect().Descriptor().Name(), fields.Len())
		}
		for name := range properties {
			f := fields.ByName(protoreflect.Name(name))
			if f == nil {
				t.Errorf("%s: %s has no place", schema, name)
				continue
			}
			property := d.at("components", "schemas", schema, "properties", name)
			if problem := mismatch(d, property, f); problem != "" {
				t.Errorf("%s: %s %s", schema, name, problem)
			}
			answered := schema != "JobRequest" && schema != "CSV" && schema != "ColumnType"
			if answered && !f.IsList() && !f.IsMap() && f.Message() == nil && f.HasPresence() == slices.Contains(required, name) {
				t.Errorf("%s: %s is required: %t, and can be missing: %t", schema, name, slices.Contains(required, name), f.HasPresence())
			}
		}
	}
}

// kinds are the kinds of fields for types and formats.
func kinds() map[string]protoreflect.Kind {
	return map[string]protoreflect.Kind{
		"string": protoreflect.StringKind, "boolean": protoreflect.BoolKind, "integer": protoreflect.Int32Kind,
		"integer int64": protoreflect.Int64Kind, "number double": protoreflect.DoubleKind, "string date-time": protoreflect.MessageKind,
		"object": protoreflect.MessageKind,
	}
}

func mismatch(d, property object, f protoreflect.FieldDescriptor) string {
	if written, ok := map[string]string{"null": "Words", "types": "Types", "max_bad_rows": "BadRows"}[string(f.Name())]; ok && f.Message() != nil {
		if string(f.Message().Name()) != written {
			return "is no " + written
		}
		return ""
	}
	kind, _ := property["type"].(string)
	format, _ := property["format"].(string)
	item := property
	switch {
	case kind == "array":
		if !f.IsList() {
			return "is no list"
		}
		listed, _ := property["items"].(object)
		item = d.resolved(listed)
		kind, _ = item["type"].(string)
		format, _ = item["format"].(string)
		if kind == "object" && item["properties"] == nil { // a row
			kind = "string"
		}
	case kind == "object" && property["properties"] == nil:
		if !f.IsMap() {
			return "is no map"
		}
		return ""
	}
	if words := item.texts("enum"); words != nil && f.Kind() == protoreflect.EnumKind {
		var values []string
		for i := 1; i < f.Enum().Values().Len(); i++ {
			values = append(values, word(f.Enum().Values().Get(i)))
		}
		if slices.Sort(words); !slices.Equal(words, slices.Sorted(slices.Values(values))) {
			return "is one of " + strings.Join(words, ", ") + ", not of " + strings.Join(values, ", ")
		}
		return ""
	}
	if want := kinds()[strings.TrimSpace(kind+" "+format)]; f.Kind() != want {
		return "is of kind " + f.Kind().String() + ", want " + want.String()
	}
	return ""
}

// TestSchemasHaveMessages holds that no schema that calls are about is forgotten in counterparts.
func TestSchemasHaveMessages(t *testing.T) {
	known, d := counterparts(), document(t)
	written := map[string]bool{"Types": true, "BadRows": true} // by functions of their own
	var reached func(at any, from string)
	seen := map[string]bool{}
	reached = func(at any, from string) {
		switch at := at.(type) {
		case object:
			if target, ok := at["$ref"].(string); ok {
				name := target[strings.LastIndex(target, "/")+1:]
				schema := d.at("components", "schemas", name)
				if seen[name] {
					return
				}
				if seen[name] = true; schema["properties"] != nil && known[name] == nil && !written[name] {
					t.Errorf("%s, of %s, has no message", name, from)
				}
				reached(schema, name)
				return
			}
			for _, key := range slices.Sorted(maps.Keys(at)) {
				reached(at[key], from)
			}
		case []any:
			for _, one := range at {
				reached(one, from)
			}
		}
	}
	for schema := range known {
		reached(d.at("components", "schemas", schema), schema)
	}
}
