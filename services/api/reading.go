package api

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxNulls = 20 // texts that stand for NULL
	maxNull  = 64 // bytes of one
)

// reading is how a request wants its file to be read. What is zero was not stated, or is the default.
type reading struct {
	CSV         events.CSV         `json:"csv,omitzero"`
	Null        []string           `json:"null,omitzero"`
	ColumnNames events.ColumnNames `json:"column_names,omitempty"`
	ExtraFields events.ExtraFields `json:"extra_fields,omitempty"`
	MaxBadRows  events.BadRows     `json:"max_bad_rows,omitzero"`
	Types       events.ColumnTypes `json:"types,omitzero"`
	Lineage     bool               `json:"lineage,omitempty"`
}

func parseReading(body openapi.JobRequest) (reading, []refusal.Field) {
	var r reading
	var bad []refusal.Field
	if body.CSV != nil {
		r.CSV, bad = parseCSV(*body.CSV)
	}
	if body.Null != nil {
		texts, problems := parseNull(*body.Null)
		r.Null, bad = texts, append(bad, problems...)
	}
	if body.ColumnNames != nil {
		switch *body.ColumnNames {
		case openapi.ColumnNamesOriginal:
		case openapi.ColumnNamesSnake:
			r.ColumnNames = events.SnakeNames
		default:
			bad = append(bad, refusal.At("/column_names", "must be original or snake"))
		}
	}
	if body.ExtraFields != nil {
		switch *body.ExtraFields {
		case openapi.ExtraFieldsRescue:
		case openapi.ExtraFieldsReject:
			r.ExtraFields = events.RejectExtra
		default:
			bad = append(bad, refusal.At("/extra_fields", "must be rescue or reject"))
		}
	}
	if body.MaxBadRows != nil {
		text, err := body.MaxBadRows.MarshalJSON()
		if err != nil || json.Unmarshal(text, &r.MaxBadRows) != nil {
			bad = append(bad, refusal.At("/max_bad_rows", `must be a whole number from 0 on, or a percentage such as "2.5%", above 0 and up to 100`))
		}
	}
	if body.Types != nil {
		var problems []refusal.Field
		if text, err := body.Types.MarshalJSON(); err == nil {
			r.Types, problems = parseTypes(text)
		}
		bad = append(bad, problems...)
	}
	r.Lineage = body.Lineage != nil && *body.Lineage
	return r, bad
}

// parseNull returns the texts that stand for NULL. An empty list stays one and is not nil: then nothing is NULL.
func parseNull(list []*string) ([]string, []refusal.Field) {
	if len(list) > maxNulls {
		return nil, []refusal.Field{refusal.At("/null", fmt.Sprintf("has more than %d texts", maxNulls))}
	}
	texts := []string{}
	var bad []refusal.Field
	for i, text := range list {
		if problem := checkNull(text); problem != "" {
			bad = append(bad, refusal.At(refusal.PointerTo("null", strconv.Itoa(i)), problem))
			continue
		}
		texts = append(texts, *text)
	}
	return texts, bad
}

func checkNull(text *string) string {
	switch {
	case text == nil:
		return "must be of type string, not null"
	case len(*text) > maxNull:
		return fmt.Sprintf("is longer than %d bytes", maxNull)
	case strings.ContainsAny(*text, "\r\n\x00"):
		return "contains a line end or NUL, which no field without quotes can"
	}
	return ""
}
