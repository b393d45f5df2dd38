package ingester_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// ask asks any of the ingesters, and returns its answer and the code of its refusal.
func ask[A any](e *env, subject string, question any) (A, string) {
	e.t.Helper()
	var found A
	err := bus.Ask(e.ctx, e.bus.Conn, subject, question, &found)
	if refusal, ok := errors.AsType[*bus.Refusal](err); ok {
		return found, refusal.Code
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return found, ""
}

func (e *env) askReport(job events.Job, run int, state events.State) {
	e.t.Helper()
	got, code := ask[events.LedgerRun](e, events.SubjectIngesterReport, events.Report{ID: job.ID})
	if ended := !got.EndedAt.IsZero(); code != "" || got.ID != job.ID || got.Run != run || got.State != state || ended != state.Terminal() {
		e.t.Errorf("answered is %+v (%s), want run %d %s", got, code, run, state)
	}
}

func TestReportMakesTheHistoryWhole(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		told []events.Payload
		want string
	}{
		"nothing was told":       {want: "started failed"},
		"it was created":         {told: []events.Payload{events.Created{}}, want: "created failed"},
		"it was started":         {told: []events.Payload{events.Started{}}, want: "started failed"},
		"its end was told":       {told: []events.Payload{events.Failed{}}, want: "failed"},
		"told to have succeeded": {told: []events.Payload{events.Succeeded{}}, want: "succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1")
			job := newJob("http://example.org/a.csv")
			for _, data := range tt.told {
				e.report(job, events.Position{Claim: 6}, data)
			}
			e.askReport(job, 0, "")
			e.strand(job)
			e.askReport(job, 1, events.StateRunning)
			e.fail(job)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() { e.askReport(job, 1, events.StateFailed) })
			}
			group.Wait()
			e.expectHistory(job, tt.want)
			if name != "it was started" {
				return
			}
			end := e.await(job, events.TypeFailed)
			data, _ := end.Data.(events.Failed)
			if end.Claim != 6 || end.Attempt != 3 || data.Failure.Code != events.CodeNotCSV || data.Figures.Rows != 7 {
				t.Errorf("told is %+v", end)
			}
		})
	}
}

// TestLostEndIsToldAgainAtOnce holds that an event which the server remembers and has not any more is stored again.
func TestLostEndIsToldAgainAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	e.start("w1")
	job := e.submit(newJob(url))
	e.awaitEnd(job, events.StateSucceeded, rows)
	stream, err := e.js.Stream(e.ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(e.ctx); err != nil {
		t.Fatal(err)
	}
	e.askReport(job, 1, events.StateSucceeded)
	e.expectHistory(job, "started succeeded")
	end := e.await(job, events.TypeSucceeded)
	if data, _ := end.Data.(events.Succeeded); data.Result.Rows != rows || data.Result.Table != job.Spec.Table {
		t.Errorf("told is %+v", data)
	}
}

// TestReportBetweenCommitAndEvent holds that a report in the moment in which the worker is about to tell itself makes no
// second event, and that the worker finishes.
func TestReportBetweenCommitAndEvent(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	wire, proxied := e.proxiedNATS("w1")
	resume := make(chan struct{})
	e.start("w1", proxied)
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	e.start("w2")
	held := wire.HoldAt(".succeeded", resume)
	file.release()
	<-held
	testenv.Eventually(e.ctx, t, "the second worker answers", func() error {
		ctx, cancel := context.WithTimeout(e.ctx, time.Second) // the first one, which may be asked, is cut off
		defer cancel()
		var run events.LedgerRun
		err := bus.Ask(ctx, e.bus.Conn, events.SubjectIngesterReport, events.Report{ID: job.ID}, &run)
		if err == nil && run.State != events.StateSucceeded {
			err = errors.New("not committed")
		}
		return err
	})
	e.expectHistory(job, "started succeeded")
	close(resume)
	e.awaitEnd(job, events.StateSucceeded, file.rows)
	e.expectHistory(job, "started succeeded")
}

// TestOldEndIsNotTold holds that what ended before the history begins is answered and not told again.
func TestOldEndIsNotTold(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	job := newJob("http://example.org/a.csv")
	e.old(job)
	e.askReport(job, 1, events.StateFailed)
	e.expectHistory(job, "")
	if page, _ := ask[events.LedgerPage](e, events.SubjectIngesterLedger, events.Ledger{Limit: 10}); len(page.Runs) != 0 || page.More {
		t.Errorf("the page is %+v", page)
	}
}

// TestNewerRunIsNotToldAsEnded holds that a job which runs again is not told to have ended by what its ledger has yet.
func TestNewerRunIsNotToldAsEnded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	job := newJob("http://example.org/a.csv")
	e.fail(job)
	redriven(e, job)
	e.askReport(job, 1, events.StateFailed)
	e.expectHistory(job, "redriven")
}

func TestLedgerInPages(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	var want []string
	for range 5 {
		job := newJob("http://example.org/a.csv")
		e.fail(job)
		want = append(want, job.ID)
	}
	e.strand(newJob("http://example.org/a.csv"))
	slices.Sort(want)
	for limit, pages := range map[int]int{-1: 5, 1: 5, 2: 3, 5: 1, 5000: 1} {
		var got []string
		after, n := "", 0
		for more := true; more; n++ {
			page, code := ask[events.LedgerPage](e, events.SubjectIngesterLedger, events.Ledger{After: after, Limit: limit})
			if code != "" || len(page.Runs) == 0 {
				t.Fatalf("limit %d: %+v (%s)", limit, page, code)
			}
			for _, run := range page.Runs {
				got, after = append(got, run.ID), run.ID
				if run.State != events.StateFailed || run.Run != 1 || run.EndedAt.IsZero() {
					t.Errorf("a run is %+v", run)
				}
			}
			more = page.More
		}
		if !slices.Equal(got, want) || n != pages {
			t.Errorf("limit %d: %d pages with %v, want %d with %v", limit, n, got, pages, want)
		}
	}
}

func TestLedgerRefusals(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var run events.LedgerRun
	if err := bus.Ask(e.ctx, e.bus.Conn, events.SubjectIngesterReport, events.Report{}, &run); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("without an ingester: %v", err)
	}
	wire, proxied := e.proxiedDatabase()
	e.start("w1", proxied)
	job := newJob("http://example.org/a.csv")
	tests := []struct {
		subject  string
		question any
		want     string
	}{
		{events.SubjectIngesterReport, events.Report{}, events.QueryInvalid},
		{events.SubjectIngesterReport, events.Report{ID: "*"}, events.QueryInvalid},
		{events.SubjectIngesterReport, events.Report{ID: "{" + job.ID + "}"}, events.QueryInvalid},
		{events.SubjectIngesterReport, "all", events.QueryInvalid},
		{events.SubjectIngesterLedger, events.Ledger{After: "x"}, events.QueryInvalid},
		{events.SubjectIngesterLedger, []int{1}, events.QueryInvalid},
		{events.SubjectIngesterReport, events.Report{ID: job.ID}, ""},
		{events.SubjectIngesterLedger, events.Ledger{}, ""},
	}
	for _, tt := range tests {
		if got, code := ask[any](e, tt.subject, tt.question); code != tt.want {
			t.Errorf("%s %v: refused with %q, want %q; the answer is %v", tt.subject, tt.question, code, tt.want, got)
		}
	}
	wire.Cut()
	for subject, question := range map[string]any{
		events.SubjectIngesterReport: events.Report{ID: job.ID}, events.SubjectIngesterLedger: events.Ledger{},
	} {
		if got, code := ask[any](e, subject, question); code != events.QueryFailed {
			t.Errorf("%s without a database: %q, %v", subject, code, got)
		}
	}
}

// TestReportBeforeTheMessageComesBack holds that whoever meets the message afterwards finishes as ever.
func TestReportBeforeTheMessageComesBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	job := newJob(url)
	load := e.strand(job)
	if _, err := load.Cancel(e.ctx, events.Figures{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	e.owner(job, bus.Register{State: bus.Claimed, Run: 1, Claim: 1, Worker: "gone", Attempt: 2, Opened: true})
	e.start("w1")
	e.askReport(job, 1, events.StateCancelled)
	e.submit(job)
	e.awaitEnd(job, events.StateCancelled, rows)
}
