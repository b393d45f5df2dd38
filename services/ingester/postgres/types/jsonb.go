package types

import (
	"bytes"
	"unicode/utf8"
)

const (
	maxJSONB = 1 << 20 // bytes; far from what Postgres refuses, and from what would take it long
	maxDepth = 100     // of arrays and objects in each other; Postgres refuses what its stack has no room for
)

// isJSONB reports whether an array or an object is written as Postgres writes jsonb: with a space behind each comma and
// colon and nowhere else, the keys of an object in its order and each once, numbers as numeric, and no escape without need.
// Keys with escapes are not compared, and count as out of order.
func isJSONB(value []byte) bool {
	return len(value) <= maxJSONB && utf8.Valid(value) && element(value, 0, 0) == len(value)
}

// element returns the place behind the JSON value at a place, or -1 if Postgres would not write it so. Its like below do
// the same.
func element(text []byte, at, depth int) int {
	if at < 0 || at >= len(text) || depth > maxDepth {
		return -1
	}
	switch c := text[at]; {
	case c == '{':
		return object(text, at, depth)
	case c == '[':
		return array(text, at, depth)
	case c == '"':
		return quoted(text, at)
	case c == '-' || isDigit(c):
		end := at
		for end < len(text) && (isDigit(text[end]) || text[end] == '-' || text[end] == '.') {
			end++
		}
		if number(text[at:end], numeric).holds(numeric) {
			return end
		}
		return -1
	}
	for _, literal := range [...]string{"true", "false", "null"} {
		if end := expect(text, at, literal); end > 0 {
			return end
		}
	}
	return -1
}

// expect returns the place behind what has to stand at a place, or -1.
func expect(text []byte, at int, want string) int {
	if end := at + len(want); at >= 0 && end <= len(text) && string(text[at:end]) == want {
		return end
	}
	return -1
}

func array(text []byte, at, depth int) int {
	if end := expect(text, at, "[]"); end > 0 {
		return end
	}
	for at++; at > 0; at = expect(text, at, ", ") {
		if at = element(text, at, depth+1); at > 0 && at < len(text) && text[at] == ']' {
			return at + 1
		}
	}
	return -1
}

func object(text []byte, at, depth int) int {
	if end := expect(text, at, "{}"); end > 0 {
		return end
	}
	var last []byte
	for at++; at > 0; at = expect(text, at, ", ") {
		end := quoted(text, at)
		if end < 0 {
			return -1
		}
		key := text[at+1 : end-1]
		if last != nil && !inOrder(last, key) || bytes.IndexByte(key, '\\') >= 0 {
			return -1
		}
		last = key
		if at = element(text, expect(text, end, ": "), depth+1); at > 0 && at < len(text) && text[at] == '}' {
			return at + 1
		}
	}
	return -1
}

// inOrder reports whether jsonb puts one key before the other: the shorter one first.
func inOrder(key, next []byte) bool {
	if len(key) != len(next) {
		return len(key) < len(next)
	}
	return bytes.Compare(key, next) < 0
}

// quoted goes over a string. Only what has to be escaped is, and what has a letter for it by that.
func quoted(text []byte, at int) int {
	if at = expect(text, at, `"`); at < 0 {
		return -1
	}
	for at < len(text) {
		switch c := text[at]; {
		case c == '"':
			return at + 1
		case c < ' ':
			return -1
		case c != '\\':
			at++
		default:
			if at = escape(text, at); at < 0 {
				return -1
			}
		}
	}
	return -1
}

func escape(text []byte, at int) int {
	if at+1 >= len(text) {
		return -1
	}
	switch text[at+1] {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		return at + 2
	}
	end := at + len(`\u0001`)
	if expect(text, at, `\u00`) < 0 || end > len(text) {
		return -1
	}
	high, low := text[end-2], text[end-1]
	switch {
	case high == '0' && (low >= '1' && low <= '7' || low == 'b' || low == 'e' || low == 'f'),
		high == '1' && (isDigit(low) || low-'a' < 6):
		return end
	}
	return -1
}
