package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// The media types of answers.
const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
	csvType     = "text/csv"
	ndjsonType  = "application/x-ndjson"
	eventsType  = "text/event-stream"
)

// Error says what the API has said, with its code in brackets. A *Problem is how the API refuses a request, or fails to do what
// it asks: [Problem.Code] tells why, and never changes its meaning.
func (p *Problem) Error() string {
	parts := []string{p.Title}
	if p.Detail != nil && *p.Detail != "" {
		parts[0] += ": " + *p.Detail
	}
	if p.Errors != nil {
		for _, e := range *p.Errors {
			if said := strings.ReplaceAll(strings.TrimPrefix(e.Pointer, "/"), "/", ".") + " " + e.Detail; p.Detail == nil || *p.Detail != said {
				parts = append(parts, said)
			}
		}
	}
	return strings.Join(parts, "; ") + " [" + p.Code + "]"
}

// Unreachable is the error of a request that got no answer, or not to its end: whether it was done is not known.
type Unreachable struct {
	URL string // of the API
	Err error
}

func (e *Unreachable) Error() string {
	return "the API at " + e.URL + " cannot be reached: " + e.Err.Error()
}

// Unwrap is what the network said.
func (e *Unreachable) Unwrap() error { return e.Err }

// Unexpected is the error of an answer that no Sluice gives: that of another server, of a proxy, or of a version too far away.
type Unexpected struct {
	Method, URL string // that was asked
	Status      int
	Reason      string
}

func (e *Unexpected) Error() string {
	return fmt.Sprintf("%s %s: the answer (%d) is %s; is the address that of Sluice's API?", e.Method, e.URL, e.Status, e.Reason)
}

func unexpected(r *http.Response, reason string) *Unexpected {
	u := *r.Request.URL
	u.RawQuery = ""
	return &Unexpected{Method: r.Request.Method, URL: u.Redacted(), Status: r.StatusCode, Reason: reason}
}

// maxProblem is how much of a problem is read, in bytes.
const maxProblem = 1 << 20

// problem reads the error that an answer stands for.
func problem(r *http.Response) error {
	defer func() { _ = r.Body.Close() }()
	if media := mediaType(r); media != problemType {
		return unexpected(r, "no problem but "+orNothing(media))
	}
	p := &Problem{}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxProblem)).Decode(p); err != nil || p.Code == "" {
		return unexpected(r, "a problem that cannot be read")
	}
	p.Status = r.StatusCode
	return p
}

// mediaType is the media type of an answer without its parameters.
func mediaType(r *http.Response) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

func orNothing(media string) string {
	if media == "" {
		return "of no known type"
	}
	return media
}

// origin is the part of a request's address that names the API.
func origin(r *http.Request) string { return r.URL.Scheme + "://" + r.URL.Host }
