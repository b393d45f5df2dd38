package api

import "testing"

func TestAsksForStream(t *testing.T) {
	for _, tt := range []struct {
		accepted string
		want     bool
	}{
		{"text/event-stream", true},
		{"Text/Event-Stream", true},
		{"application/json, text/event-stream", true},
		{"text/event-stream;q=0.5, application/json", true},
		{"text/event-stream; charset=utf-8", true},
		{"text/event-stream;q=0", false},
		{"text/event-stream;q=x", true},
		{"", false},
		{"*/*", false},
		{"text/*", false},
		{"application/json", false},
		{"text/event-streams", false},
		{"=;,", false},
	} {
		if got := asksForStream([]string{"text/html", tt.accepted}); got != tt.want {
			t.Errorf("%q: %t", tt.accepted, got)
		}
	}
	if asksForStream(nil) {
		t.Error("nothing asks for a stream")
	}
}
