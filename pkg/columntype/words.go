package columntype

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/pkg/events"
)

const (
	maxWords = 20 // of one kind
	maxWord  = 64 // bytes of one
)

// words are those that stand for something in a column.
type words struct{ null, yes, no []string }

func (t *Type) readNull(stated events.ColumnType) error {
	t.words.null = stated.Null
	return checkWords(stated.Null)
}

func (t *Type) readWords(stated events.ColumnType) error {
	if len(stated.True) == 0 || len(stated.False) == 0 {
		return errors.New("needs the other one of true and false beside it, with a word each at least")
	}
	for _, word := range stated.True {
		if slices.Contains(stated.False, word) {
			return fmt.Errorf("has the word %q, which false has, too", word)
		}
	}
	t.words.yes, t.words.no = stated.True, stated.False
	return errors.Join(checkWords(stated.True), checkWords(stated.False))
}

func checkWords(list []string) error {
	if len(list) > maxWords {
		return fmt.Errorf("has more than %d words", maxWords)
	}
	for _, word := range list {
		if len(word) > maxWord {
			return fmt.Errorf("has a word of over %d bytes", maxWord)
		}
	}
	return nil
}

// spellings are those that Postgres takes for a boolean (PostgreSQL manual, "Boolean Type"), without what abbreviates them.
var spellings = []string{"t", "f", "true", "false", "1", "0", "yes", "no", "y", "n", "on", "off"}

var (
	isTrue  = []byte("t")
	isFalse = []byte("f")
)

func (t *Type) fitBoolean(value []byte) ([]byte, Fit, string) {
	if t.words.yes == nil {
		if slices.ContainsFunc(spellings, func(s string) bool { return strings.EqualFold(s, string(value)) }) {
			return value, Fits, ""
		}
		return value, Unsure, ""
	}
	switch word := string(value); {
	case slices.Contains(t.words.yes, word):
		return isTrue, Fits, ""
	case slices.Contains(t.words.no, word):
		return isFalse, Fits, ""
	}
	return nil, Unfit, fmt.Sprintf("it is neither a word for true (%s) nor one for false (%s)",
		strings.Join(t.words.yes, ", "), strings.Join(t.words.no, ", "))
}
