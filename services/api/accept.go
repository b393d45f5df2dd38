package api

import (
	"context"
	"mime"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

const eventStream = "text/event-stream"

type wantsStreamKey struct{}

// accept remembers whether the caller asks for a stream. The generated code does not pass the header on: OpenAPI has no
// parameter Accept.
func accept(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if asksForStream(r.Header.Values(echo.HeaderAccept)) {
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), wantsStreamKey{}, true)))
		}
		return next(c)
	}
}

func wantsStream(ctx context.Context) bool {
	wants, _ := ctx.Value(wantsStreamKey{}).(bool)
	return wants
}

// asksForStream reports whether a stream is named, and not with the weight 0. What accepts anything gets JSON.
func asksForStream(accepted []string) bool {
	for _, header := range accepted {
		for part := range strings.SplitSeq(header, ",") {
			media, parameters, err := mime.ParseMediaType(part)
			if err != nil || media != eventStream {
				continue
			}
			weight, err := strconv.ParseFloat(parameters["q"], 64)
			return err != nil || weight > 0
		}
	}
	return false
}
