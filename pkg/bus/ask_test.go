package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestAsk(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	nc := n.Connect("status")
	var run events.LedgerRun
	if err := bus.Ask(ctx, nc, events.SubjectIngesterReport, events.Report{ID: "a"}, &run); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("without a service: %v", err)
	}
	service, err := micro.AddService(n.Connect("ingester"), micro.Config{Name: "ingester", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Stop() })
	answers := map[string]func(micro.Request) error{
		`{"id":"knows"}`:   func(r micro.Request) error { return r.RespondJSON(events.LedgerRun{ID: "knows", Run: 2}) },
		`{"id":"refuses"}`: func(r micro.Request) error { return r.Error("503", "no database", nil) },
		`{"id":"babbles"}`: func(r micro.Request) error { return r.Respond([]byte("{")) },
		`{"id":"silent"}`:  func(micro.Request) error { return nil },
	}
	err = service.AddEndpoint("report", micro.HandlerFunc(func(r micro.Request) {
		if err := answers[string(r.Data())](r); err != nil {
			t.Error(err)
		}
	}), micro.WithEndpointSubject(events.SubjectIngesterReport))
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "the service answers", func() error {
		return bus.Ask(ctx, nc, events.SubjectIngesterReport, events.Report{ID: "knows"}, &run)
	})
	if run.Run != 2 {
		t.Errorf("answered is %+v", run)
	}
	err = bus.Ask(ctx, nc, events.SubjectIngesterReport, events.Report{ID: "refuses"}, &run)
	if refusal, ok := errors.AsType[*bus.Refusal](err); !ok || refusal.Code != "503" || refusal.Text != "no database" {
		t.Errorf("a refusal: %v", err)
	}
	if err := bus.Ask(ctx, nc, events.SubjectIngesterReport, events.Report{ID: "babbles"}, &run); err == nil {
		t.Error("an answer that cannot be read is taken")
	}
	soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := bus.Ask(soon, nc, events.SubjectIngesterReport, events.Report{ID: "silent"}, &run); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("without an answer: %v", err)
	}
}
