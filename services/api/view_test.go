package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

// lives are a job's statuses from its beginning to its possible ends.
func lives(id string) map[string]events.Status {
	later := noon.Add(time.Minute)
	size, offset := int64(1000), int64(12)
	spec := events.Spec{
		Source: events.Source{URL: exampleURL, Sealed: []byte("sealed")}, Schema: "public", Mode: events.Create,
		Priority: events.Normal, CreatedAt: noon,
	}
	running := events.Status{
		ID: id, State: events.StateRunning, Run: 1, Attempt: 1, Spec: spec, Table: "t", StartedAt: &later,
		Figures: events.Figures{Phase: events.PhaseLoading, Bytes: 250, TotalBytes: &size, Rows: 5, Rejected: 1, BytesPerSecond: 100},
	}
	retrying, cancelling, failed, cancelled, succeeded := running, running, running, running, running
	retrying.State, retrying.NextAttemptAt = events.StateRetrying, &later
	retrying.Failure = &events.Failure{Code: events.CodeSourceUnreachable, Message: "m", Retryable: true}
	cancelling.State = events.StateCancelling
	failed.State, failed.FinishedAt = events.StateFailed, &later
	failed.Failure = &events.Failure{Code: events.CodeStrayQuote, Message: "m", Line: 2, Column: 1, ByteOffset: &offset}
	cancelled.State, cancelled.FinishedAt = events.StateCancelled, &later
	succeeded.State, succeeded.FinishedAt, succeeded.Figures.Phase = events.StateSucceeded, &later, events.PhaseDone
	succeeded.Result = &events.Result{
		Outcome: "loaded", Schema: "public", Table: "t", Rows: 9, Bytes: 1000,
		Columns: []events.Column{{Original: "id", Name: "id", Type: "text"}, {Original: "", Name: "column_2", Type: "text", Rule: "blank"}},
		Dialect: events.Dialect{
			Encoding: "UTF-8", Delimiter: ",", Quote: `"`, Escape: `"`, Header: true, HeaderRows: 2, SkipRows: 3, Comment: "#",
			LineEnd: events.LineEndCRLF, Confidence: 0.5,
		},
		Warnings: []events.Warning{{Code: events.WarnShortRow, Count: 2, Lines: []int64{3, 4}}, {Code: events.WarnLengthUnverified, Count: 1}},
		Checksum: "sha256:00", Durations: events.Durations{QueuedMS: 1, LoadingMS: 2},
	}
	return map[string]events.Status{
		"queued":  {ID: id, State: events.StateQueued, Run: 1, Spec: spec, QueuePosition: 3},
		"running": running, "retrying": retrying, "cancelling": cancelling,
		"failed": failed, "cancelled": cancelled, "succeeded": succeeded,
	}
}

// TestOptionalFields names the fields that each status has besides those that every one has.
func TestOptionalFields(t *testing.T) {
	const always = "attempt created_at id links mode priority progress run schema source state warnings"
	for name, want := range map[string]string{
		"queued":     "queue_position",
		"running":    "started_at table",
		"retrying":   "error next_attempt_at started_at table",
		"cancelling": "started_at table",
		"failed":     "error finished_at started_at table",
		"cancelled":  "finished_at started_at table",
		"succeeded":  "finished_at started_at table",
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(viewJob(lives("x")[name]))
			if err != nil {
				t.Fatal(err)
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(data, &fields); err != nil {
				t.Fatal(err)
			}
			for field := range strings.FieldsSeq(always + " " + want) {
				if _, ok := fields[field]; !ok {
					t.Errorf("%s is missing", field)
				}
				delete(fields, field)
			}
			for field, value := range fields {
				t.Errorf("%s is there: %s", field, value)
			}
			if strings.Contains(string(data), "sealed") {
				t.Errorf("what is sealed is shown: %s", data)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	size := func(n int64) *int64 { return &n }
	for name, tt := range map[string]struct {
		state   events.State
		figures events.Figures
		want    string
	}{
		"nothing yet":                    {events.StateQueued, events.Figures{}, `{"bytes":0,"rejected":0,"rows":0}`},
		"of unknown size":                {events.StateRunning, events.Figures{Bytes: 7, BytesPerSecond: 2}, `{"bytes":7,"bytes_per_second":2,"rejected":0,"rows":0}`},
		"halfway":                        {events.StateRunning, events.Figures{Bytes: 5, TotalBytes: size(10), BytesPerSecond: 2}, `{"bytes":5,"bytes_per_second":2,"eta_seconds":2,"percent":50,"rejected":0,"rows":0,"total_bytes":10}`},
		"at a standstill":                {events.StateRunning, events.Figures{Bytes: 5, TotalBytes: size(10)}, `{"bytes":5,"percent":50,"rejected":0,"rows":0,"total_bytes":10}`},
		"all read":                       {events.StateRunning, events.Figures{Bytes: 10, TotalBytes: size(10), BytesPerSecond: 2}, `{"bytes":10,"bytes_per_second":2,"eta_seconds":0,"percent":100,"rejected":0,"rows":0,"total_bytes":10}`},
		"more than announced":            {events.StateRunning, events.Figures{Bytes: 15, TotalBytes: size(10), BytesPerSecond: 2}, `{"bytes":15,"bytes_per_second":2,"eta_seconds":0,"percent":100,"rejected":0,"rows":0,"total_bytes":10}`},
		"an empty file":                  {events.StateRunning, events.Figures{TotalBytes: size(0)}, `{"bytes":0,"percent":100,"rejected":0,"rows":0,"total_bytes":0}`},
		"nothing of a known size":        {events.StateRetrying, events.Figures{TotalBytes: size(10)}, `{"bytes":0,"percent":0,"rejected":0,"rows":0,"total_bytes":10}`},
		"no end in sight unless running": {events.StateFailed, events.Figures{Bytes: 5, TotalBytes: size(10), BytesPerSecond: 2}, `{"bytes":5,"bytes_per_second":2,"percent":50,"rejected":0,"rows":0,"total_bytes":10}`},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(viewProgress(events.Status{State: tt.state, Figures: tt.figures}))
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, string(data), tt.want) {
				t.Errorf("shown as %s, want %s", data, tt.want)
			}
		})
	}
}

func TestPlaceOfAFailure(t *testing.T) {
	start := int64(0)
	for name, tt := range map[string]struct {
		failure events.Failure
		want    string
	}{
		"no place": {events.Failure{Code: "c", Message: "m", Retryable: true}, `{"code":"c","message":"m","retryable":true}`},
		"the very start": {events.Failure{Code: "c", Message: "m", Line: 1, Column: 1, ByteOffset: &start},
			`{"byte_offset":0,"code":"c","column":1,"line":1,"message":"m","retryable":false}`},
		"a whole line": {events.Failure{Code: "c", Message: "m", Line: 2, ByteOffset: &start},
			`{"byte_offset":0,"code":"c","line":2,"message":"m","retryable":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(viewFailure(&tt.failure))
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, string(data), tt.want) {
				t.Errorf("shown as %s, want %s", data, tt.want)
			}
		})
	}
}

func TestDialect(t *testing.T) {
	for name, tt := range map[string]struct {
		dialect events.Dialect
		want    string
	}{
		"everything": {
			events.Dialect{
				Encoding: "UTF-8", Delimiter: ";", Quote: "'", Escape: `\`, Header: true, HeaderRows: 2, SkipRows: 3, Comment: "#",
				LineEnd: events.LineEndMixed, Confidence: 0.5,
			},
			`{"encoding":"UTF-8","delimiter":";","quote":"'","escape":"\\","header":true,"header_rows":2,"skip_rows":3,"comment":"#",
				"line_end":"mixed","confidence":0.5}`,
		},
		"next to nothing": {
			events.Dialect{Encoding: "UTF-8", LineEnd: events.LineEndNone},
			`{"encoding":"UTF-8","delimiter":"","quote":"","escape":"","header":false,"header_rows":0,"skip_rows":0,
				"line_end":"none","confidence":0}`,
		},
		"before it was told": {
			events.Dialect{Encoding: "UTF-8", Delimiter: ",", Header: true},
			`{"encoding":"UTF-8","delimiter":",","quote":"","escape":"","header":true,"header_rows":1,"skip_rows":0}`,
		},
		"before it was told, no header": {
			events.Dialect{Encoding: "UTF-8", Delimiter: ","},
			`{"encoding":"UTF-8","delimiter":",","quote":"","escape":"","header":false,"header_rows":0,"skip_rows":0}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(viewDialect(tt.dialect))
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, string(data), tt.want) {
				t.Errorf("shown as %s, want %s", data, tt.want)
			}
			if err := described().valid("/components/schemas/Dialect", data); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestResultTellsWhereItWasResumed holds that a result says from where on a load was gone on with, and only then.
func TestResultTellsWhereItWasResumed(t *testing.T) {
	for from, want := range map[int64]string{0: "", 4711: `"resumed_from":4711`} {
		data, err := json.Marshal(viewResult("id", events.Result{ResumedFrom: from}))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(data); !strings.Contains(got, want) || want == "" && strings.Contains(got, "resumed_from") {
			t.Errorf("resumed from %d, the result is %s", from, got)
		}
	}
}
