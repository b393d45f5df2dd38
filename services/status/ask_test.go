package status

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// ask returns the answer, or the code of the refusal.
func ask[A any](ctx context.Context, t testing.TB, b *bus.Bus, subject string, question any) (answer A, code string) {
	t.Helper()
	data, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	if raw, ok := question.(string); ok {
		data = []byte(raw)
	}
	m, err := b.Conn.RequestWithContext(ctx, subject, data)
	if errors.Is(err, nats.ErrNoResponders) { // right after a reconnection the server may not know of the endpoints yet
		return answer, "no responders"
	}
	if err != nil {
		t.Fatalf("asking %s: %v", subject, err)
	}
	if code = m.Header.Get(micro.ErrorCodeHeader); code != "" {
		return answer, code
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		t.Fatal(err)
	}
	return answer, ""
}

// get asks for a job, which is jobID if none is named, as of the sequence.
func get(ctx context.Context, t testing.TB, b *bus.Bus, sequence uint64, id ...string) events.Status {
	t.Helper()
	id = append(id, jobID)
	s, code := ask[events.Status](ctx, t, b, events.SubjectStatusGet, events.Get{ID: id[0], Sequence: sequence})
	if code != "" {
		t.Fatalf("job %s: refused with %s", id[0], code)
	}
	return s
}

// statistics returns those of each replica that runs.
func statistics(ctx context.Context, t testing.TB, b *bus.Bus) []micro.Stats {
	t.Helper()
	inbox := b.Conn.NewInbox()
	sub, err := b.Conn.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := b.Conn.PublishRequest("$SRV.STATS.status", inbox, nil); err != nil {
		t.Fatal(err)
	}
	var list []micro.Stats
	for {
		wait, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		m, err := sub.NextMsgWithContext(wait)
		cancel()
		if err != nil {
			return list
		}
		var stats micro.Stats
		if err := json.Unmarshal(m.Data, &stats); err != nil {
			t.Fatal(err)
		}
		list = append(list, stats)
	}
}
