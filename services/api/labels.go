package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxLabels     = 20
	maxLabelName  = 63  // bytes
	maxLabelValue = 255 // bytes
)

// notes are what a request says of its job that means nothing to Sluice.
type notes struct {
	Labels map[string]string `json:"labels,omitempty"`
}

func parseLabels(body openapi.JobRequest) (n notes, bad []refusal.Field) {
	if body.Labels == nil {
		return n, nil
	}
	if len(*body.Labels) > maxLabels {
		return n, []refusal.Field{refusal.At("/labels", fmt.Sprintf("has more than %d labels", maxLabels))}
	}
	n.Labels = make(map[string]string, len(*body.Labels))
	for _, name := range slices.Sorted(maps.Keys(*body.Labels)) {
		value := (*body.Labels)[name]
		if problem := checkLabel(name, value); problem != "" {
			bad = append(bad, refusal.At(refusal.PointerTo("labels", name), problem))
			continue
		}
		n.Labels[name] = *value
	}
	return n, bad
}

func checkLabel(name string, value *string) string {
	switch {
	case name == "":
		return "must have a name"
	case len(name) > maxLabelName:
		return fmt.Sprintf("has a name of more than %d bytes", maxLabelName)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a name with control characters"
	case value == nil:
		return "must be of type string, not null"
	case len(*value) > maxLabelValue:
		return fmt.Sprintf("is longer than %d bytes", maxLabelValue)
	case strings.ContainsFunc(*value, unicode.IsControl):
		return "contains control characters"
	}
	return ""
}
