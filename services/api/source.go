package api

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/net/http/httpguts"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxURL         = 8192 // bytes
	maxHeaders     = 20
	maxHeaderBytes = 16 << 10 // of all names and values
	maxMember      = 1024     // bytes
)

// source is where a request's file is, and how it is to be got. What is zero was not stated, or is the default.
type source struct {
	url           *url.URL          // of an uploaded file "upload:" and its id
	Headers       map[string]string `json:"headers,omitempty"` // by their canonical names
	Member        string            `json:"member,omitempty"`
	SkipUnchanged bool              `json:"skip_unchanged,omitempty"`
}

func parseSource(body openapi.JobRequest) (source, []refusal.Field) {
	var s source
	var bad []refusal.Field
	var problem string
	field := "/url"
	switch {
	case body.URL != nil && body.Upload != nil:
		field, problem = "/upload", "goes without a url: a job loads one file"
	case body.Upload != nil:
		field = "/upload"
		s.url, problem = parseUpload(*body.Upload)
	case body.URL != nil:
		s.url, problem = parseURL(*body.URL)
	default:
		problem = "is missing; name the file to load, such as http://localhost:8000/tripsdata.csv"
	}
	if problem != "" {
		bad = append(bad, refusal.At(field, problem))
	}
	if body.Headers != nil {
		headers, problems := parseHeaders(*body.Headers, s.url)
		s.Headers, bad = headers, append(bad, problems...)
	}
	if body.Member != nil {
		s.Member = *body.Member
		if problem := checkMember(s.Member); problem != "" {
			bad = append(bad, refusal.At("/member", problem))
		}
	}
	s.SkipUnchanged = body.SkipUnchanged != nil && *body.SkipUnchanged
	return s, bad
}

// parseURL returns the URL, or what is wrong with it. The text never repeats the URL, which may hold a password.
func parseURL(raw string) (*url.URL, string) {
	switch {
	case raw == "":
		return nil, "is empty; name the file to load, such as http://localhost:8000/tripsdata.csv"
	case len(raw) > maxURL:
		return nil, fmt.Sprintf("is longer than %d bytes", maxURL)
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return nil, "contains white space or control characters; percent-encode them"
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "is not a URL"
	case u.Scheme == "file":
		return u, checkFile(u)
	case strings.HasPrefix(raw, events.UploadScheme):
		return nil, "is an upload; name it in upload instead"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "must begin with http://, https:// or file:///"
	case u.Hostname() == "":
		return nil, "names no host"
	case strings.Contains(u.User.Username(), ":"):
		return nil, "has a colon in the user name, which Basic authorization cannot carry"
	}
	return u, ""
}

// checkFile says what is wrong with the URL of a local file (RFC 8089). Whether it may be read is the ingester's to say.
func checkFile(u *url.URL) string {
	switch {
	case u.Host != "" && u.Host != "localhost" || u.User != nil:
		return "must be file:/// and a path: files of other hosts are read over http"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "must not have a query or fragment; percent-encode ? and # in a path"
	case !strings.HasPrefix(u.Path, "/") || path.Clean(u.Path) != u.Path || strings.Contains(u.Path, "\x00"):
		return "must hold an absolute path without . and .."
	}
	return ""
}

func parseUpload(raw string) (*url.URL, string) {
	id, found := strings.CutPrefix(raw, events.UploadScheme)
	if parsed, err := uuid.Parse(id); !found || err != nil || parsed.String() != id {
		return nil, "must be what POST /v1/uploads has answered: upload: and an id"
	}
	return &url.URL{Scheme: strings.TrimSuffix(events.UploadScheme, ":"), Opaque: id}, ""
}

// parseHeaders returns the headers by their canonical names. The texts repeat names, never values.
func parseHeaders(stated map[string]*string, asked *url.URL) (headers map[string]string, bad []refusal.Field) {
	if asked != nil && asked.Scheme != "http" && asked.Scheme != "https" && len(stated) > 0 {
		return nil, []refusal.Field{refusal.At("/headers", "go with an http or https url only")}
	}
	if len(stated) > maxHeaders {
		return nil, []refusal.Field{refusal.At("/headers", fmt.Sprintf("are more than %d", maxHeaders))}
	}
	headers = make(map[string]string, len(stated))
	size := 0
	for _, name := range slices.Sorted(maps.Keys(stated)) {
		value, canonical := stated[name], http.CanonicalHeaderKey(name)
		if problem := checkHeader(canonical, value); problem != "" {
			bad = append(bad, refusal.At(refusal.PointerTo("headers", name), problem))
			continue
		}
		if _, twice := headers[canonical]; twice {
			bad = append(bad, refusal.At(refusal.PointerTo("headers", name), "is there twice, in other letters"))
			continue
		}
		if canonical == "Authorization" && asked != nil && asked.User != nil {
			bad = append(bad, refusal.At(refusal.PointerTo("headers", name), "goes without a user in the url: only one can be sent"))
		}
		headers[canonical] = *value
		size += len(name) + len(*value)
	}
	if size > maxHeaderBytes {
		bad = append(bad, refusal.At("/headers", fmt.Sprintf("are longer than %d bytes", maxHeaderBytes)))
	}
	return headers, bad
}

func checkHeader(name string, value *string) string {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return "is not the name of a header field"
	case isOwnHeader(name):
		return "is a header that Sluice sets itself"
	case value == nil:
		return "must be of type string, not null"
	case !httpguts.ValidHeaderFieldValue(*value):
		return "has a value with control characters"
	}
	return ""
}

// isOwnHeader reports whether a header belongs to the connection, or says which part of the file is asked for.
func isOwnHeader(name string) bool {
	for _, prefix := range []string{"Proxy-", "If-", "Content-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"Accept-Encoding", "Connection", "Expect", "Host", "Keep-Alive", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	}, name)
}

func checkMember(name string) string {
	switch {
	case name == "":
		return "must not be empty; leave it out to load the one CSV file of the archive"
	case len(name) > maxMember:
		return fmt.Sprintf("is longer than %d bytes", maxMember)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "contains control characters"
	}
	return ""
}
