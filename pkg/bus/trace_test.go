package bus_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestTraceGoesWithJobsAndEvents(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	traced := bus.WithTrace(ctx, trace)
	publishJob(traced, t, b, newJob(1))
	if got := bus.TraceOf(takeJob(ctx, t, b).Headers()); got != trace {
		t.Errorf("the job carries %q", got)
	}
	if _, err := b.Events.Publish(traced, newEvent(events.Position{Run: 1}, events.Queued{})); err != nil {
		t.Fatal(err)
	}
	if got := bus.TraceOf(eventHeaders(ctx, t, b)); got != trace {
		t.Errorf("the event carries %q", got)
	}
}

func TestWithoutTraceNoneIsCarried(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	publishJob(ctx, t, b, newJob(1))
	if got := bus.TraceOf(takeJob(ctx, t, b).Headers()); got != "" {
		t.Errorf("the job carries %q", got)
	}
}

func TestMalformedTraceIsReplaced(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	valid := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)
	seen := map[string]bool{}
	for run, parent := range []string{
		"", "x", trace + "\r\nNats-Msg-Id: 1", trace + "-more", "01" + trace[2:], "00-4BF92F3577B34DA6A3CE929D0E0E4736" + trace[35:],
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
	} {
		e := newEvent(events.Position{Run: run + 1}, events.Queued{})
		if _, err := b.Events.Publish(bus.WithTrace(ctx, parent), e); err != nil {
			t.Fatal(err)
		}
		got := bus.TraceOf(eventHeaders(ctx, t, b))
		if !valid.MatchString(got) || got == parent || seen[got] {
			t.Errorf("%q was replaced by %q", parent, got)
		}
		seen[got] = true
	}
}

func TestTraceOfAnySpelling(t *testing.T) {
	tests := []struct {
		name   string
		header nats.Header
		want   string
	}{
		{"none", nil, ""},
		{"others", nats.Header{"Tracestate": {"a"}}, ""},
		{"lower case", nats.Header{"traceparent": {trace}}, trace},
		{"canonical", nats.Header{"Traceparent": {trace}}, trace},
		{"without a value", nats.Header{"traceparent": nil}, ""},
	}
	for _, tt := range tests {
		if got := bus.TraceOf(tt.header); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestEventsAreCloudEvents(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	e := newEvent(events.Position{Run: 1}, events.Queued{Sequence: 1})
	if _, err := b.Events.Publish(ctx, e); err != nil {
		t.Fatal(err)
	}
	header := eventHeaders(ctx, t, b)
	for name, want := range map[string]string{
		"ce-specversion": "1.0", "ce-id": e.ID, "ce-source": "sluice/api", "ce-type": "sluice.job.queued",
		"ce-subject": jobID, "ce-time": "2026-03-02T12:00:00Z", "ce-datacontenttype": "application/json",
	} {
		if got := header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// eventHeaders returns those of the last queued event.
func eventHeaders(ctx context.Context, t testing.TB, b *bus.Bus) nats.Header {
	t.Helper()
	stream, err := openJetStream(t, b).Stream(ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetLastMsgForSubject(ctx, events.EventSubject(jobID, events.TypeQueued))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}
