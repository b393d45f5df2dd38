package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxKeyColumns = 32 // as many as an index of Postgres may have
	defaultSchema = "public"
)

// destination is how a request wants its rows to become visible, and in which schema. What is zero was not stated, or is the
// default.
type destination struct {
	Schema string      `json:"schema,omitempty"`
	Mode   events.Mode `json:"mode,omitempty"`
	Key    []string    `json:"key,omitempty"`
}

func parseDestination(body openapi.JobRequest) (destination, []refusal.Field) {
	var d destination
	var bad []refusal.Field
	if body.Schema != nil && *body.Schema != defaultSchema {
		d.Schema = *body.Schema
		if problem := checkSchema(d.Schema); problem != "" {
			bad = append(bad, refusal.At("/schema", problem))
		}
	}
	if body.Mode != nil && *body.Mode != openapi.ModeCreate {
		d.Mode = events.Mode(*body.Mode)
		switch {
		case !body.Mode.Valid():
			bad = append(bad, refusal.At("/mode", "must be create, replace, append or upsert"))
		case body.Table == nil:
			bad = append(bad, refusal.At("/table", fmt.Sprintf("is missing; mode %s needs it", d.Mode)))
		}
	}
	switch {
	case body.Key != nil && d.Mode != events.Upsert:
		bad = append(bad, refusal.At("/key", "goes with mode upsert only"))
	case body.Key != nil:
		key, problems := parseKey(*body.Key)
		d.Key, bad = key, append(bad, problems...)
	case d.Mode == events.Upsert:
		bad = append(bad, refusal.At("/key", "is missing; mode upsert needs the columns that tell rows apart"))
	}
	return d, bad
}

func parseKey(list []*string) (key []string, bad []refusal.Field) {
	if len(list) == 0 || len(list) > maxKeyColumns {
		return nil, []refusal.Field{refusal.At("/key", fmt.Sprintf("must have 1 to %d columns", maxKeyColumns))}
	}
	for i, name := range list {
		problem := "must be of type string, not null"
		if name != nil {
			problem = checkName(*name)
		}
		if problem == "" && slices.Contains(key, *name) {
			problem = "is in the key already"
		}
		if problem != "" {
			bad = append(bad, refusal.At(refusal.PointerTo("key", strconv.Itoa(i)), problem))
			continue
		}
		key = append(key, *name)
	}
	return key, bad
}

func checkSchema(name string) string {
	if name == "sluice" || name == "information_schema" || strings.HasPrefix(name, "pg_") {
		return "must not be Sluice's own or one of the system's"
	}
	return checkName(name)
}

// checkName says what is wrong with the name of a table, a schema or a column.
func checkName(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "contains control characters"
	}
	return ""
}
