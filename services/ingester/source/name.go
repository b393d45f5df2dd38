package source

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	maxName = 255 // bytes, as in most file systems
	maxStem = 40  // bytes; Postgres cuts names at 63, and a table's name gets a suffix
)

// nameOf returns the last segment of u's path, fit to be shown as a file's name; "" if there is none.
func nameOf(u *url.URL) string {
	path := u.EscapedPath() // a slash that is escaped does not end a segment
	segment, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return ""
	}
	return cleanName(segment)
}

// dispositionName returns the file's name by what the server says (RFC 6266), without any folder; "" if it says nothing.
func dispositionName(header http.Header) string {
	_, parameters, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name := parameters["filename"] // filename* too (RFC 8187)
	return cleanName(name[strings.LastIndexAny(name, `/\`)+1:])
}

// cleanName makes text fit to be shown as a file's name.
func cleanName(text string) string {
	clean := func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '_'
		case r == unicode.ReplacementChar || !unicode.IsPrint(r): // among them control and direction characters
			return -1
		}
		return r
	}
	name := strings.TrimSpace(cut(strings.Map(clean, text), maxName))
	if name == "." || name == ".." {
		return ""
	}
	return name
}

// Stem returns what a table made from the file called name is called after: the name without the endings of text and
// compression, in letters, digits and underscores. It keeps the case, has at most 40 bytes and is never empty.
func Stem(name string) string {
	name = trimEnding(name, ".gz", ".gzip", ".zst", ".zstd", ".bz2", ".zip", ".xz")
	name = trimEnding(name, ".csv", ".tsv", ".tab", ".psv", ".txt")
	var stem strings.Builder
	gap := false
	for _, r := range name {
		if keep := r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r); keep {
			stem.WriteRune(r)
			gap = false
		} else if !gap {
			stem.WriteByte('_')
			gap = true
		}
	}
	cleaned := strings.Trim(stem.String(), "_")
	cleaned = strings.TrimRight(cut(cleaned, maxStem), "_")
	if cleaned == "" {
		return "data"
	}
	return cleaned
}

// trimEnding drops one of the endings, in any case.
func trimEnding(name string, endings ...string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot >= 0 && slices.Contains(endings, strings.ToLower(name[dot:])) {
		return name[:dot]
	}
	return name
}
