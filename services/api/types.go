package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

const (
	maxTyped      = 1600      // columns that types are stated for: as many as a table may have
	maxTypesBytes = 256 << 10 // of all that is stated, encoded: it travels with the job
	maxNameBytes  = 63        // of a column's name in Postgres
)

// Words in types.
const (
	otherColumns = "*" // the columns that no type is stated for
	inferred     = "infer"
)

// parseTypes reads which types the columns are to get: a word for all of them, or an object that has types by the names of
// columns.
func parseTypes(data []byte) (events.ColumnTypes, []refusal.Field) {
	var word string
	if json.Unmarshal(data, &word) == nil {
		infer, problem := parseTypesWord(word)
		if problem != "" {
			return events.ColumnTypes{}, []refusal.Field{refusal.At("/types", problem+`, or an object such as {"fare": "numeric(10,2)"}`)}
		}
		return events.ColumnTypes{Infer: infer}, nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(data, &all) != nil {
		return events.ColumnTypes{}, []refusal.Field{refusal.At("/types", `must be text, infer, or an object such as {"fare": "numeric(10,2)"}`)}
	}
	if len(all) > maxTyped {
		return events.ColumnTypes{}, []refusal.Field{refusal.At("/types", fmt.Sprintf("has more than %d columns", maxTyped))}
	}
	var types events.ColumnTypes
	var bad []refusal.Field
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == otherColumns && json.Unmarshal(all[name], &word) == nil {
			infer, problem := parseTypesWord(word)
			if types.Infer = infer; problem != "" {
				bad = append(bad, refusal.At(refusal.PointerTo("types", name), problem))
			}
			continue
		}
		if name == otherColumns {
			bad = append(bad, refusal.At(refusal.PointerTo("types", name), "must be text or infer"))
			continue
		}
		stated, problems := parseType(name, all[name])
		bad = append(bad, problems...)
		if types.Stated == nil {
			types.Stated = make(map[string]events.ColumnType)
		}
		types.Stated[name] = stated
	}
	if bad != nil {
		return events.ColumnTypes{}, bad
	}
	if types.Stated != nil {
		if text, err := json.Marshal(types); err != nil || len(text) > maxTypesBytes {
			return events.ColumnTypes{}, []refusal.Field{refusal.At("/types", fmt.Sprintf("is larger than %d KiB", maxTypesBytes>>10))}
		}
	}
	return types, nil
}

func parseTypesWord(word string) (infer bool, problem string) {
	switch word {
	case "text", inferred:
		return word == inferred, ""
	}
	return false, "must be text or infer"
}

// parseType reads what is stated of one column: the name of a type, or an object that says more.
func parseType(name string, data []byte) (events.ColumnType, []refusal.Field) {
	if name == "" || len(name) > maxNameBytes || bytes.ContainsRune([]byte(name), 0) {
		return events.ColumnType{}, []refusal.Field{{
			Pointer: refusal.PointerTo("types", name), Detail: fmt.Sprintf("cannot be the name of a column, which has 1 to %d bytes", maxNameBytes),
		}}
	}
	var stated events.ColumnType
	if json.Unmarshal(data, &stated.Type) != nil {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&stated); err != nil {
			return stated, []refusal.Field{refusal.At(refusal.PointerTo("types", name), "must be the name of a type, or an object with a type")}
		}
	}
	if stated.Type == inferred {
		return stated, []refusal.Field{refusal.At(refusal.PointerTo("types", name),
			`must be a type; infer is for "*", which stands for all other columns`)}
	}
	if _, err := columntype.Parse(stated); err != nil {
		option, ok := errors.AsType[*columntype.OptionError](err)
		if !ok {
			return stated, []refusal.Field{refusal.At(refusal.PointerTo("types", name), err.Error())}
		}
		return stated, []refusal.Field{refusal.At(refusal.PointerTo("types", name, option.Option), option.Why)}
	}
	return stated, nil
}
