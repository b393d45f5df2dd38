package postgres

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// MaxNameBytes is the longest name that Postgres keeps whole (PostgreSQL manual, "Identifiers and Key Words").
const MaxNameBytes = 63

// DerivedName names a table after its source's stem and the second in which the job was created.
func DerivedName(stem string, createdAt time.Time) string {
	return withSuffix(stem, "_"+strconv.FormatInt(createdAt.Unix(), 10))
}

// withSuffix appends a suffix and cuts the name before it, at a character, if both together are too long.
func withSuffix(name, suffix string) string {
	room := MaxNameBytes - len(suffix)
	if len(name) > room {
		for room > 0 && !utf8.RuneStart(name[room]) {
			room--
		}
		name = name[:room]
	}
	return name + suffix
}
