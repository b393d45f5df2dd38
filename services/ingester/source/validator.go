package source

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

const (
	// strongAge is how much older than its answer a file must be for its date to tell its versions apart (RFC 9110, section
	// 8.8.2.2). A second would do for one clock; the file may be dated by another machine than the answer.
	strongAge = time.Minute
	// maxETag bounds in bytes what is kept and sent back.
	maxETag = 1 << 10
)

// Validator is what a version of a file is recognised by when it is asked for again. Its zero value recognises nothing.
// It is compared with == and kept as JSON.
type Validator struct {
	// ETag is the strong one (RFC 9110, section 8.8.3), with its quotes; "" if there is none.
	ETag string `json:"etag,omitempty"`
	// LastModified is the date of a file without any ETag, as it was sent; "" if it is not strong.
	LastModified string `json:"last_modified,omitempty"`
	// Length is in bytes; 0 if the server did not tell.
	Length int64 `json:"length,omitempty"`
	// Compression is how the file is compressed, as [Body.Compression] tells: parts of such a file are of no use.
	Compression string `json:"compression,omitempty"`
	// Place stands for the address that answered, without its query: the others mean something there alone.
	Place string `json:"place,omitempty"`
	// Queried says that a redirect led to an address with a query, or that headers were sent. Either may stand for another file each
	// time.
	Queried bool `json:"queried,omitempty"`
}

// validatorOf reads the validator of a whole file of the length.
func validatorOf(resp *http.Response, at target, length int64) Validator {
	v := Validator{Length: max(length, 0), Place: placeOf(at)}
	tags := resp.Header.Values("ETag")
	switch {
	case len(tags) == 0:
		v.LastModified = strongDate(resp.Header)
	case len(tags) == 1 && isStrongETag(tags[0]):
		v.ETag = tags[0]
	}
	return v
}

// usable reports whether a server can be asked for a part of this version (RFC 9110, section 13.1.5).
func (v Validator) usable() bool {
	return v.recognises() && v.Compression == ""
}

// recognises reports whether there is anything to recognise a version by.
func (v Validator) recognises() bool { return v.ETag != "" || v.LastModified != "" && v.Length > 0 }

// ifRange is the condition of such a request.
func (v Validator) ifRange() string {
	if v.ETag != "" {
		return v.ETag
	}
	return v.LastModified
}

// proves reports whether a file with the validator now is certainly this version. How it is compressed follows from that.
func (v Validator) proves(now Validator) bool {
	if !v.recognises() || v.Place != now.Place {
		return false
	}
	if v.ETag != "" {
		return v.ETag == now.ETag
	}
	return v.LastModified == now.LastModified && v.Length == now.Length
}

// Proves reports whether a file with the validator now is certainly this version, so that nothing of it has to be read.
func (v Validator) Proves(now Validator) bool {
	selected := v.Queried || now.Queried
	if selected && (v.ETag == "" || v.Length == 0 || v.Length != now.Length) {
		return false
	}
	return v.Compression == now.Compression && !v.denies(now) && v.proves(now)
}

// denies reports whether a file with the validator now is certainly another version. Another date is no sign of that:
// some servers make one up for each answer.
func (v Validator) denies(now Validator) bool {
	if v.Length > 0 && now.Length > 0 && v.Length != now.Length {
		return true
	}
	return v.Place == now.Place && v.ETag != "" && now.ETag != "" && v.ETag != now.ETag
}

// placeOf is a hash, as a path may hold a secret. A query is left out: redirects to signed addresses have a new one each time.
func placeOf(at target) string {
	return placeHash(hostOf(at.url) + " " + at.url.EscapedPath())
}

func placeHash(place string) string {
	sum := sha256.Sum256([]byte(place))
	return hex.EncodeToString(sum[:16])
}

// isStrongETag accepts what RFC 9110 does, if it is ASCII: JSON would change other bytes.
func isStrongETag(tag string) bool {
	if len(tag) < 2 || len(tag) > maxETag || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return false
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }
	return !strings.ContainsFunc(tag[1:len(tag)-1], odd)
}

// strongDate returns the Last-Modified if no two versions can share it.
func strongDate(header http.Header) string {
	dates := header.Values("Last-Modified")
	if len(dates) != 1 {
		return ""
	}
	modified, err := http.ParseTime(dates[0])
	answered, errDate := http.ParseTime(header.Get("Date"))
	if err != nil || errDate != nil || answered.Sub(modified) < strongAge {
		return ""
	}
	return dates[0]
}
