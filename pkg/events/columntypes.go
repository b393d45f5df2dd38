package events

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ColumnTypes says which types a job's columns get. In its zero value all are text. In JSON it is the word "infer", or an object
// with a [ColumnType] for each column that one is stated for; there "*" with the word stands for all others.
type ColumnTypes struct {
	// Infer gives each column for which no type is stated the narrowest one that all of its values fit without losing anything.
	Infer bool
	// Stated are types by the names that the columns have in the table.
	Stated map[string]ColumnType
}

// ColumnType is a type that a job states for a column, and how the file writes its values.
type ColumnType struct {
	Type    string   `json:"type"`              // as SQL names it
	Format  string   `json:"format,omitempty"`  // of moments, such as dd.mm.yyyy
	Zone    string   `json:"zone,omitempty"`    // of moments without one, such as Europe/Berlin
	Decimal string   `json:"decimal,omitempty"` // what separates the fraction of a number, if not a point
	Group   string   `json:"group,omitempty"`   // what may separate groups of three digits
	True    []string `json:"true,omitempty"`    // the words for it, if not those of Postgres
	False   []string `json:"false,omitempty"`
	Null    []string `json:"null,omitempty"` // words for NULL, also in quotes, besides the job's
}

const (
	inferredTypes = "infer"
	otherColumns  = "*"
)

// MarshalJSON implements [json.Marshaler].
func (t ColumnTypes) MarshalJSON() ([]byte, error) {
	switch {
	case t.Stated == nil && !t.Infer:
		return nil, errors.New("columns of text have no types to be told")
	case t.Stated == nil:
		return json.Marshal(inferredTypes)
	}
	all := make(map[string]any, len(t.Stated)+1)
	for name, stated := range t.Stated {
		all[name] = stated
	}
	if t.Infer {
		all[otherColumns] = inferredTypes
	}
	return json.Marshal(all)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *ColumnTypes) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil {
		if word != inferredTypes {
			return fmt.Errorf("%q is not a way to find types", word)
		}
		*t = ColumnTypes{Infer: true}
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*t = ColumnTypes{Stated: make(map[string]ColumnType, len(all))}
	if others, ok := all[otherColumns]; ok && string(others) == `"`+inferredTypes+`"` {
		t.Infer = true
		delete(all, otherColumns)
	}
	for name, data := range all {
		var stated ColumnType
		if err := json.Unmarshal(data, &stated); err != nil {
			return err
		}
		t.Stated[name] = stated
	}
	return nil
}
