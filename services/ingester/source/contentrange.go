package source

import (
	"net/http"
	"strconv"
	"strings"
)

// contentRange is the part of a file that an answer holds: bytes first to last, of total.
type contentRange struct {
	first, last int64
	total       int64 // 0 if unknown
}

// parseContentRange reads the one header field that a single part has (RFC 9110, section 14.4), and reports whether it is
// there and valid.
func parseContentRange(header http.Header) (contentRange, bool) {
	fields := header.Values("Content-Range")
	if len(fields) != 1 {
		return contentRange{}, false
	}
	unit, rest, _ := strings.Cut(fields[0], " ")
	part, total, found := strings.Cut(rest, "/")
	first, last, isPart := strings.Cut(part, "-")
	if !strings.EqualFold(unit, "bytes") || !found || !isPart {
		return contentRange{}, false
	}
	var c contentRange
	var valid [3]bool
	c.first, valid[0] = parseOffset(first)
	c.last, valid[1] = parseOffset(last)
	if total != "*" {
		c.total, valid[2] = parseOffset(total)
	}
	fits := c.first <= c.last && (total == "*" || valid[2] && c.last < c.total)
	if !valid[0] || !valid[1] || !fits {
		return contentRange{}, false
	}
	return c, true
}

// extent returns the length of the whole file, negative if unknown, and whether the answer shows where it ends.
func extent(resp *http.Response) (size int64, framed bool) {
	if part, valid := parseContentRange(resp.Header); valid && part.total > 0 && resp.StatusCode == http.StatusPartialContent {
		return part.total, true
	}
	return resp.ContentLength, resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0
}

// parseOffset accepts digits only.
func parseOffset(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}
