package events

import (
	"encoding/json"
	"fmt"
)

// ColumnTypes says which types a job's columns get. In its zero value all are text. In JSON it is a word.
type ColumnTypes struct {
	// Infer gives each column the narrowest type that all of its values fit without losing anything.
	Infer bool
}

const inferredTypes = "infer"

// MarshalJSON implements [json.Marshaler].
func (t ColumnTypes) MarshalJSON() ([]byte, error) {
	if !t.Infer {
		return nil, fmt.Errorf("columns of text have no types to be told")
	}
	return json.Marshal(inferredTypes)
}

// UnmarshalJSON reads the word.
func (t *ColumnTypes) UnmarshalJSON(data []byte) error {
	var word string
	if err := json.Unmarshal(data, &word); err != nil {
		return err
	}
	if word != inferredTypes {
		return fmt.Errorf("%q is not a way to find types", word)
	}
	t.Infer = true
	return nil
}
