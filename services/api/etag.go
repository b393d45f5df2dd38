package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/labstack/echo/v4"

	"sluice/services/api/openapi"
)

// etag names what an answer says (RFC 9110, section 8.8.3). What looks the same has the same one at any API.
type etag string

// etagOf returns the etag of an answer in JSON.
func etagOf(view any) (etag, error) {
	data, err := json.Marshal(view)
	if err != nil {
		return "", fmt.Errorf("encoding an answer: %w", err)
	}
	return etagOfBytes(data), nil
}

func etagOfBytes(data []byte) etag {
	sum := sha256.Sum256(data)
	return etag(`"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`)
}

// in reports whether a header If-None-Match names the etag, by weak comparison (RFC 9110, section 13.1.2).
func (t etag) in(header *string) bool {
	if header == nil {
		return false
	}
	if strings.TrimSpace(*header) == "*" {
		return true
	}
	for known := range strings.SplitSeq(*header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == string(t) { // none of ours has a comma
			return true
		}
	}
	return false
}

// joinETags makes the lines of If-None-Match one: it is a list (RFC 9110, section 5.3), which the document cannot say of a header.
func joinETags(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		const name = "If-None-Match"
		header := c.Request().Header
		if lines := header.Values(name); len(lines) > 1 {
			header.Set(name, strings.Join(lines, ", "))
		}
		return next(c)
	}
}

func (t etag) notModified() openapi.NotModifiedResponse {
	return openapi.NotModifiedResponse{Headers: openapi.NotModifiedResponseHeaders{ETag: string(t)}}
}
