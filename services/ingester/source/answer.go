package source

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sluice/pkg/events"
)

// maxRetryAfter caps what a server may ask us to wait.
const maxRetryAfter = time.Hour

// answer is the status that a failure stands for.
type answer struct {
	status     int
	retryAfter time.Duration
}

// Error shows the status with its standard phrase; the server's own could hold anything.
func (a answer) Error() string {
	return strings.TrimSpace(strconv.Itoa(a.status) + " " + http.StatusText(a.status))
}

// RetryAfter returns how long the server behind err asked to be left alone (RFC 9110, section 10.2.3), at most an
// hour; 0 if it did not say.
func RetryAfter(err error) time.Duration {
	if a, ok := errors.AsType[answer](err); ok {
		return a.retryAfter
	}
	return 0
}

func judgeStatus(resp *http.Response, at target) error {
	a := answer{status: resp.StatusCode}
	switch s := resp.StatusCode; {
	case s == http.StatusNotFound || s == http.StatusGone:
		return events.Failf(events.CodeSourceNotFound, "%s does not exist (%w); check the address", at, a)
	case s == http.StatusRequestTimeout || s == http.StatusTooEarly || s == http.StatusTooManyRequests ||
		s >= 500 && s <= 599:
		a.retryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), time.Now())
		return events.Failf(events.CodeSourceUnavailable, "%s is not available (%w); try again later", at, a)
	case s >= 400 && s <= 499:
		return events.Failf(events.CodeSourceRefused,
			"%s is refused (%w); check the address and the right to read it", at, a)
	}
	return events.Failf(events.CodeSourceUnsupported,
		"%s answers %w where 200 OK was expected; give an address that answers with the whole file", at, a)
}

// charset is what the server says of the content's character encoding.
func charset(header http.Header) string { return charsetOf(header.Get("Content-Type")) }

func charsetOf(mediaType string) string {
	_, parameters, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return ""
	}
	return parameters["charset"]
}

// contentCoding names the coding of the body (RFC 9110, section 8.4), or "" for none. It repeats well-known names only.
func contentCoding(resp *http.Response) string {
	value := strings.ToLower(strings.Join(resp.Header.Values("Content-Encoding"), ","))
	switch value = strings.TrimSpace(value); value {
	case "", "identity":
		return ""
	case "gzip", "x-gzip", "deflate", "br", "zstd", "compress":
		return value
	}
	return "an unknown"
}

// parseRetryAfter reads both forms of the header, seconds and date.
func parseRetryAfter(value string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(value, 10, 64)
	wait := time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is a number all the same, and the largest
		date, err := http.ParseTime(value)
		if err != nil {
			return 0
		}
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

func tooLarge(at fmt.Stringer, limit int64) *events.Failure {
	return events.Failf(events.CodeSourceTooLarge,
		"%s is larger than the limit of %s; split the file or have the operator raise SLUICE_SOURCE_BYTES", at, formatBytes(limit))
}

func tooLargeUnpacked(at fmt.Stringer, limit int64) *events.Failure {
	return events.Failf(events.CodeSourceTooLarge,
		"%s is larger than the limit of %s when it is decompressed; split the file or have the operator raise SLUICE_SOURCE_TEXT_BYTES",
		at, formatBytes(limit))
}
