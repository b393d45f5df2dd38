package status

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func at(n int) *time.Time {
	moment := second(n)
	return &moment
}

// event makes one that happened n seconds after noon.
func event(n, run, claim, attempt, seq int, data events.Payload) events.Event {
	pos := events.Position{Run: run, Claim: claim, Attempt: attempt, Seq: seq}
	return events.New(jobID, pos, second(n), "test", data)
}

func rows(n int64) events.Figures { return events.Figures{Phase: events.PhaseLoading, Rows: n} }

func TestView(t *testing.T) {
	spec := newSpec(events.Normal)
	spec.Table = "asked"
	stalled := events.Failure{Code: events.CodeSourceStalled, Message: "stalled", Retryable: true}
	notCSV := events.Failure{Code: events.CodeNotCSV, Message: "not CSV"}
	result := events.Result{Outcome: "loaded", Table: "made", Rows: 9}

	created := event(0, 1, 0, 0, 0, events.Created{Spec: spec})
	queued := event(1, 1, 0, 0, 0, events.Queued{Sequence: 7})
	started := event(2, 1, 1, 1, 1, events.Started{Spec: spec, Worker: "a"})
	progress := event(3, 1, 1, 1, 2, events.Progress{Figures: rows(5)})
	retrying := event(4, 1, 1, 1, 3, events.Retrying{Failure: &stalled, NextAttemptAt: second(60), Figures: rows(6)})
	again := event(5, 1, 2, 2, 1, events.Started{Spec: spec, Worker: "b"})
	cancel := event(6, 1, 0, 0, 0, events.CancelRequested{})
	succeeded := event(7, 1, 2, 2, 5, events.Succeeded{Result: result, Figures: rows(9)})
	failed := event(7, 1, 2, 2, 5, events.Failed{Failure: notCSV, Figures: rows(8)})
	cancelled := event(7, 1, 2, 2, 5, events.Cancelled{Figures: rows(7)})
	redriven := event(8, 2, 0, 0, 0, events.Redriven{})
	cancelledEarly := event(2, 1, 0, 0, 0, events.Cancelled{})

	tests := []struct {
		name   string
		events []events.Event
		want   events.Status
	}{
		{"created", []events.Event{created}, events.Status{State: events.StateQueued}},
		{"queued", []events.Event{created, queued}, events.Status{State: events.StateQueued}},
		{"started", []events.Event{created, queued, started},
			events.Status{State: events.StateRunning, Attempt: 1, StartedAt: at(2)}},
		{"started without created", []events.Event{started},
			events.Status{State: events.StateRunning, Attempt: 1, StartedAt: at(2)}},
		{"under way", []events.Event{created, started, progress},
			events.Status{State: events.StateRunning, Attempt: 1, StartedAt: at(2), Figures: rows(5)}},
		{"retrying", []events.Event{created, started, progress, retrying}, events.Status{
			State: events.StateRetrying, Attempt: 1, StartedAt: at(2), Figures: rows(6), Failure: &stalled, NextAttemptAt: at(60),
		}},
		{"handed over", []events.Event{created, started, event(4, 1, 1, 0, 3, events.Retrying{NextAttemptAt: second(4)})},
			events.Status{State: events.StateRetrying, StartedAt: at(2), NextAttemptAt: at(4)}},
		{"next attempt", []events.Event{created, started, retrying, again},
			events.Status{State: events.StateRunning, Attempt: 2, StartedAt: at(2), Figures: rows(6)}},
		{"cancelling before its start", []events.Event{created, cancel}, events.Status{State: events.StateCancelling}},
		{"cancelling", []events.Event{created, started, progress, cancel},
			events.Status{State: events.StateCancelling, Attempt: 1, StartedAt: at(2), Figures: rows(5)}},
		{"cancelled", []events.Event{created, started, again, progress, cancel, cancelled},
			events.Status{State: events.StateCancelled, Attempt: 2, StartedAt: at(2), FinishedAt: at(7), Figures: rows(7)}},
		{"cancelled before its start", []events.Event{created, cancelledEarly},
			events.Status{State: events.StateCancelled, FinishedAt: at(2)}},
		{"succeeded", []events.Event{created, started, again, progress, succeeded}, events.Status{
			State: events.StateSucceeded, Attempt: 2, Table: "made", StartedAt: at(2), FinishedAt: at(7), Figures: rows(9), Result: &result,
		}},
		{"succeeded over a cancel", []events.Event{created, started, cancel, succeeded}, events.Status{
			State: events.StateSucceeded, Attempt: 2, Table: "made", StartedAt: at(2), FinishedAt: at(7), Figures: rows(9), Result: &result,
		}},
		{"failed", []events.Event{created, started, retrying, again, failed}, events.Status{
			State: events.StateFailed, Attempt: 2, StartedAt: at(2), FinishedAt: at(7), Figures: rows(8), Failure: &notCSV,
		}},
		{"redriven", []events.Event{created, started, retrying, failed, redriven},
			events.Status{State: events.StateQueued, Run: 2}},
		{"redriven after a cancel", []events.Event{created, cancel, cancelled, redriven},
			events.Status{State: events.StateQueued, Run: 2}},
		{"cancel of the next run that is not known yet", []events.Event{created, failed, event(9, 2, 0, 0, 0, events.CancelRequested{})},
			events.Status{State: events.StateFailed, Attempt: 2, FinishedAt: at(7), Figures: rows(8), Failure: &notCSV}},
		{"cancelling the next run", []events.Event{created, failed, redriven, event(9, 2, 0, 0, 0, events.CancelRequested{})},
			events.Status{State: events.StateCancelling, Run: 2}},
		{"next run under way", []events.Event{created, started, failed, redriven, event(9, 2, 3, 1, 1, events.Started{Spec: spec})},
			events.Status{State: events.StateRunning, Run: 2, Attempt: 1, StartedAt: at(9)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d Document
			for i, e := range tt.events {
				d = fold(d, e, uint64(i+1))
			}
			tt.want.ID, tt.want.Spec, tt.want.Run = jobID, spec, max(tt.want.Run, 1)
			if tt.want.Table == "" {
				tt.want.Table = "asked"
			}
			if got := reread(t, d).view(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("it looks\n%+v\nwant\n%+v", got, tt.want)
			}
			if d.State != tt.want.State {
				t.Errorf("the document says %s", d.State)
			}
		})
	}
}

func TestLittleKnownJobsAreNotShown(t *testing.T) {
	tests := []struct {
		name string
		data events.Payload
		want bool
	}{
		{"created", events.Created{}, true},
		{"started", events.Started{}, true},
		{"queued", events.Queued{}, false},
		{"cancel requested", events.CancelRequested{}, false},
		{"succeeded", events.Succeeded{}, false},
	}
	for _, tt := range tests {
		if got := documentOf(event(0, 1, 0, 0, 0, tt.data), 1).known(); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestDocumentFitsWhereItsEventsFit holds that the document of a job with an outcome of any size that an event may have
// is hardly larger than that event: both have to fit into one message.
func TestDocumentFitsWhereItsEventsFit(t *testing.T) {
	large := strings.Repeat("x", 600<<10)
	for _, outcome := range []events.Payload{
		events.Succeeded{Result: events.Result{Columns: []events.Column{{Original: large}}}},
		events.Failed{Failure: events.Failure{Message: large}},
	} {
		d := fold(documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Normal)}), 1),
			event(1, 1, 1, 1, 1, outcome), 2)
		if size := len(stored(t, d)); size > len(large)+4<<10 {
			t.Errorf("the document of a job that %s has %d bytes", outcome.Type(), size)
		}
	}
}
