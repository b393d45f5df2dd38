package api

import (
	"context"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestWeights(t *testing.T) {
	for _, tt := range []struct {
		accepted string
		want     float64
	}{
		{"text/event-stream", 1},
		{"Text/Event-Stream", 1},
		{"application/json, text/event-stream", 1},
		{"text/event-stream;q=0.5, application/json", 0.5},
		{"text/event-stream; charset=utf-8", 1},
		{"text/event-stream;q=0", 0},
		{"text/event-stream;q=-1", 0},
		{"text/event-stream;q=x", 1},
		{"text/event-stream;q=NaN", 1},
		{"text/event-stream;q=7", 1},
		{"", 0},
		{"*/*", 0},
		{"text/*", 0},
		{"application/json", 0},
		{"text/event-streams", 0},
		{"=;,", 0},
	} {
		if got := weightOf(eventStream, []string{"text/html", tt.accepted}); got != tt.want {
			t.Errorf("%q: %g", tt.accepted, got)
		}
	}
	if weightOf(eventStream, nil) != 0 {
		t.Error("nothing asks for a stream")
	}
}

func TestPreferred(t *testing.T) {
	for accepted, want := range map[string]string{
		"":                                       echo.MIMEApplicationJSON,
		"*/*":                                    echo.MIMEApplicationJSON,
		"text/html":                              echo.MIMEApplicationJSON,
		"text/csv":                               csvFormat,
		"text/csv, application/json":             echo.MIMEApplicationJSON,
		"text/csv, application/json;q=0.9":       csvFormat,
		"text/csv, application/x-ndjson":         ndjsonFormat,
		"text/csv;q=0.2, application/x-ndjson":   ndjsonFormat,
		"application/x-ndjson;q=0.2, text/csv":   csvFormat,
		"application/x-ndjson;q=0, text/csv;q=0": echo.MIMEApplicationJSON,
	} {
		ctx := context.WithValue(t.Context(), acceptKey{}, []string{accepted})
		if got := preferred(ctx, ndjsonFormat, csvFormat); got != want {
			t.Errorf("%q: %s, want %s", accepted, got, want)
		}
	}
}
