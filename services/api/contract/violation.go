package contract

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"sluice/services/api/refusal"
)

// MaxFields is how many bad fields are told of at the most.
const MaxFields = 100

// violations returns what is wrong with a value by its schema: each bad field, in the order of their pointers.
func (d *Document) violations(schema *jsonschema.Schema, value any) ([]refusal.Field, error) {
	err := schema.Validate(value)
	if err == nil {
		return nil, nil
	}
	wrong, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, fmt.Errorf("comparing with the document: %w", err)
	}
	bad := d.explain(wrong)
	slices.SortFunc(bad, func(a, b refusal.Field) int {
		return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Detail, b.Detail))
	})
	return bad[:min(len(bad), MaxFields)], nil
}

// explain says in our words what a violation is about.
func (d *Document) explain(v *jsonschema.ValidationError) []refusal.Field {
	at := v.InstanceLocation
	says := func(detail string) []refusal.Field {
		return []refusal.Field{refusal.At(refusal.PointerTo(at...), detail)}
	}
	switch k := v.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		var bad []refusal.Field
		for _, cause := range v.Causes {
			bad = append(bad, d.explain(cause)...)
		}
		return bad
	case *kind.OneOf:
		return d.explainOneOf(v)
	case *kind.Required:
		var bad []refusal.Field
		for _, name := range k.Missing {
			bad = append(bad, refusal.At(refusal.PointerTo(append(slices.Clone(at), name)...), "is missing"))
		}
		return bad
	case *kind.AdditionalProperties:
		return d.explainUnknown(v, k.Properties)
	case *kind.Type:
		return says("must be of type " + typeWords(k.Want) + ", not " + k.Got)
	case *kind.Enum:
		return says("must be " + choice(k.Want))
	case *kind.Format:
		return says(formatWords(k))
	case *kind.Pattern:
		return says(d.patternWords(v, k.Want))
	case *kind.Minimum, *kind.Maximum:
		return says(d.rangeWords(v))
	}
	return says(sizeWords(v.ErrorKind))
}

// sizeWords says how much there may be of what is too little or too much.
func sizeWords(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("is longer than %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("has more than %d items", k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d fields", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has more than %d fields", k.Want)
	}
	return "is not as the document of the API says"
}

// explainOneOf tells what is wrong by that of several forms which the value is meant to have, as its type shows.
func (d *Document) explainOneOf(v *jsonschema.ValidationError) []refusal.Field {
	if len(v.Causes) == 0 {
		return []refusal.Field{refusal.At(refusal.PointerTo(v.InstanceLocation...), "can be read in several ways")}
	}
	var types []string
	for _, branch := range v.Causes {
		wrong := wrongType(branch, len(v.InstanceLocation))
		if wrong == nil {
			return d.explain(branch)
		}
		types = append(types, wrong.Want...)
	}
	got := wrongType(v.Causes[0], len(v.InstanceLocation)).Got
	return []refusal.Field{refusal.At(refusal.PointerTo(v.InstanceLocation...), "must be of type "+typeWords(types)+", not "+got)}
}

// wrongType finds in what is wrong by one form that the value itself, which lies that deep, has another type.
func wrongType(v *jsonschema.ValidationError, depth int) *kind.Type {
	if k, ok := v.ErrorKind.(*kind.Type); ok && len(v.InstanceLocation) == depth {
		return k
	}
	for _, cause := range v.Causes {
		if k := wrongType(cause, depth); k != nil {
			return k
		}
	}
	return nil
}

func (d *Document) explainUnknown(v *jsonschema.ValidationError, names []string) []refusal.Field {
	object := "this request"
	if n := len(v.InstanceLocation); n > 0 {
		object = v.InstanceLocation[n-1]
	}
	properties, _ := d.at(v.SchemaURL)["properties"].(map[string]any)
	rank := func(name string) int {
		property, _ := properties[name].(map[string]any)
		order, _ := property["x-order"].(json.Number)
		n, err := order.Int64()
		if err != nil {
			return math.MaxInt
		}
		return int(n)
	}
	known := slices.SortedFunc(maps.Keys(properties), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	var bad []refusal.Field
	for _, name := range names {
		pointer := refusal.PointerTo(append(slices.Clone(v.InstanceLocation), name)...)
		bad = append(bad, refusal.At(pointer, "is not a field of "+object+"; it has "+strings.Join(known, ", ")))
	}
	return bad
}

// at returns the schema that has the URL which the validator calls it by.
func (d *Document) at(schemaURL string) map[string]any {
	_, fragment, _ := strings.Cut(schemaURL, "#")
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil
	}
	var at any = d.root
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		switch parent := at.(type) {
		case map[string]any:
			at = parent[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(parent) {
				return nil
			}
			at = parent[i]
		}
	}
	found, _ := at.(map[string]any)
	return found
}

func typeWords(names []string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = name
		if name == "integer" {
			words[i] = "whole number"
		}
	}
	return strings.Join(words, " or ")
}

// choice lists values: a, b or c.
func choice(values []any) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = fmt.Sprint(value)
		if strings.ContainsFunc(words[i], func(r rune) bool { return r < 'a' || r > 'z' }) {
			words[i] = strconv.Quote(words[i])
		}
	}
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " or " + words[last]
	}
	return strings.Join(words, "")
}

func formatWords(k *kind.Format) string {
	switch k.Want {
	case "date-time":
		words := "must be a time such as 2026-03-02T12:00:00Z"
		if text, _ := k.Got.(string); strings.Contains(text, " ") {
			words += "; in an address, + is written as %2B"
		}
		return words
	case formatInt64:
		return fmt.Sprintf("must be between %d and %d", math.MinInt64, math.MaxInt64)
	}
	return "must be of the format " + k.Want
}

func (d *Document) patternWords(v *jsonschema.ValidationError, pattern string) string {
	if example, ok := d.at(v.SchemaURL)["example"].(string); ok {
		return "must be written like " + example
	}
	return "must match " + pattern
}

// rangeWords says between which numbers a number must be.
func (d *Document) rangeWords(v *jsonschema.ValidationError) string {
	schema := d.at(v.SchemaURL)
	least, hasLeast := schema["minimum"].(json.Number)
	most, hasMost := schema["maximum"].(json.Number)
	switch {
	case hasLeast && hasMost:
		return fmt.Sprintf("must be %s to %s", least, most)
	case hasLeast:
		return fmt.Sprintf("must be %s or more", least)
	}
	return fmt.Sprintf("must be %s or less", most)
}
