package dataset

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const notACursor = "is not the next_cursor of a page"

// encodeCursor makes a place opaque.
func encodeCursor(place any) string {
	data, _ := json.Marshal(place) // fails for no cursor
	return base64.RawURLEncoding.EncodeToString(data)
}

// decodeCursor reads what encodeCursor has written, or fails with a [ParameterError]. What it says may still be made up.
func decodeCursor(text string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return badParameter("cursor", notACursor)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badParameter("cursor", notACursor)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badParameter("cursor", notACursor)
	}
	return nil
}

// storable reports whether texts can be ones of Postgres.
func storable(texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(t, "\x00") || !utf8.ValidString(t) {
			return false
		}
	}
	return true
}
