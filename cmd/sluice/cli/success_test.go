package cli

import (
	"strings"
	"testing"
	"time"

	"sluice/pkg/client"
)

func TestSuccess(t *testing.T) {
	begun := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	loaded := client.Job{
		ID: "j1", Schema: "public", Table: new("trips"), StartedAt: &begun, FinishedAt: new(begun.Add(2 * time.Second)),
		Progress: client.Progress{Rows: 1200, Rejected: 2},
	}
	for _, c := range []struct {
		job    client.Job
		result client.JobResult
		want   string
	}{
		{loaded, client.JobResult{Outcome: client.JobResultOutcomeLoaded}, "job j1 succeeded: 1,200 rows into public.trips, 2 rejected (sluice rejects j1) in 2s"},
		{loaded, client.JobResult{}, "job j1 succeeded: 1,200 rows into public.trips, 2 rejected (sluice rejects j1) in 2s"},
		{
			client.Job{ID: "j2", Schema: "public", Table: new("trips")},
			client.JobResult{Outcome: client.JobResultOutcomeUnchanged, UnchangedSince: new("j1")},
			"job j2 succeeded: nothing has changed since job j1 loaded the file into public.trips",
		},
	} {
		if got := success(c.job, c.result); got != c.want {
			t.Errorf("it says %q, want %q", got, c.want)
		}
	}
}

func TestRemarkable(t *testing.T) {
	for _, c := range []struct {
		warnings   []client.Warning
		confidence *float64
		want       string
	}{
		{nil, nil, ""},
		{nil, new(0.4), ""},
		{nil, new(0.32), "how the file is written is a guess, with confidence 0.32"},
		{[]client.Warning{{Code: "short_row", Count: 3, Lines: &[]int64{4, 9}}, {Code: "length_unverified", Count: 1}}, new(0.9),
			"short_row 3×, first in line 4, 9; length_unverified 1×"},
	} {
		got := remarkable(client.Job{Warnings: c.warnings}, client.JobResult{Dialect: client.Dialect{Confidence: c.confidence}})
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("it says %q, want %q", text, c.want)
		}
	}
}

func TestAmounts(t *testing.T) {
	read := client.Progress{Rows: 1200, Percent: new(99.7)}
	for state, want := range map[client.JobState]string{"running": "1,200 100%", "succeeded": "1,200 100%", "failed": "- -", "cancelled": "- -"} {
		if rows, done := amounts(client.Job{State: state, Progress: read}); rows+" "+done != want {
			t.Errorf("of a job that is %s it says %s %s, want %s", state, rows, done, want)
		}
	}
	if rows, done := amounts(client.Job{State: "queued"}); rows != "0" || done != "" {
		t.Errorf("of a queued job it says %s %s", rows, done)
	}
}
