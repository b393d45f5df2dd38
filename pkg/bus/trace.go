package bus

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/nats-io/nats.go"
)

// traceKey is spelled in lower case: some servers deliver header names lower-cased.
const traceKey = "traceparent"

type traceContextKey struct{}

// The ids that the standard reserves for saying that there is none.
const (
	noTraceID  = "-00000000000000000000000000000000-"
	noParentID = "-0000000000000000-"
)

var traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// WithTrace remembers a W3C traceparent (Trace Context, level 1) for everything published under the context. One that
// is missing or malformed starts a new trace.
func WithTrace(ctx context.Context, parent string) context.Context {
	if !traceparent.MatchString(parent) || strings.Contains(parent, noTraceID) || strings.Contains(parent, noParentID) {
		parent = newTrace()
	}
	return context.WithValue(ctx, traceContextKey{}, parent)
}

// TraceOf reads the traceparent that a message carries, or "".
func TraceOf(h nats.Header) string {
	for name, values := range h {
		if strings.EqualFold(name, traceKey) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func traceHeader(ctx context.Context) nats.Header {
	h := nats.Header{}
	if parent, ok := ctx.Value(traceContextKey{}).(string); ok {
		h[traceKey] = []string{parent}
	}
	return h
}

func newTrace() string {
	var id [24]byte
	_, _ = rand.Read(id[:]) // never fails
	return "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-01"
}
