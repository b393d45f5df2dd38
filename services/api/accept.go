package api

import (
	"context"
	"mime"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	eventStream  = "text/event-stream"
	ndjsonFormat = "application/x-ndjson"
	csvFormat    = "text/csv"
	// csvWithHeader is how it is answered (RFC 4180, section 3).
	csvWithHeader = csvFormat + "; charset=utf-8; header=present"
)

type acceptKey struct{}

// accept remembers what the caller accepts. The generated code does not pass the header on: OpenAPI has no parameter Accept.
func accept(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if accepted := r.Header.Values(echo.HeaderAccept); len(accepted) > 0 {
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), acceptKey{}, accepted)))
		}
		return next(c)
	}
}

func accepted(ctx context.Context) []string {
	list, _ := ctx.Value(acceptKey{}).([]string)
	return list
}

// wantsStream reports whether the caller asks for a stream. Who accepts anything gets JSON.
func wantsStream(ctx context.Context) bool { return weightOf(eventStream, accepted(ctx)) > 0 }

// preferred returns which of some media types the caller names with the greatest weight, the first of them where there are several,
// or else JSON.
func preferred(ctx context.Context, media ...string) string {
	best, most := echo.MIMEApplicationJSON, weightOf(echo.MIMEApplicationJSON, accepted(ctx))
	for _, m := range media {
		if weight := weightOf(m, accepted(ctx)); weight > most {
			best, most = m, weight
		}
	}
	return best
}

// weightOf returns the weight with which a media type is named (RFC 9110, section 12.4.2), or 0 if it is not.
func weightOf(wanted string, accepted []string) float64 {
	for _, header := range accepted {
		for part := range strings.SplitSeq(header, ",") {
			media, parameters, err := mime.ParseMediaType(part)
			if err != nil || media != wanted {
				continue
			}
			weight, err := strconv.ParseFloat(parameters["q"], 64)
			if err != nil || weight != weight || weight > 1 { // missing, or no weight
				return 1
			}
			return max(weight, 0)
		}
	}
	return 0
}
