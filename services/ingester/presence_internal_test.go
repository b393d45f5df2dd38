package ingester

import (
	"context"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestWorkerThatEnds holds that a worker answers while it hands its jobs over, and says so.
func TestWorkerThatEnds(t *testing.T) {
	t.Parallel()
	n := testenv.StartNATS(t)
	b := n.Bus("ingester")
	s, err := New(DefaultConfig("w1"), Parts{Bus: b})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(testenv.Context(t))
	defer end()
	leave, err := s.present(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, draining := range []bool{false, true} {
		var told events.Worker
		if err := bus.Ask(testenv.Context(t), b.Conn, events.SubjectIngesterWorkers, events.Workers{}, &told); err != nil {
			t.Fatal(err)
		}
		if told.Name != "w1" || told.Draining != draining {
			t.Errorf("told is %+v, want draining %t", told, draining)
		}
		end()
	}
	leave()
	if err := bus.Ask(testenv.Context(t), b.Conn, events.SubjectIngesterWorkers, events.Workers{}, &events.Worker{}); err == nil {
		t.Error("a worker that has ended answers")
	}
}
