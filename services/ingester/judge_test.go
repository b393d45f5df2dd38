package ingester

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func failed(code events.Code) error {
	return fmt.Errorf("doing it: %w", events.Failf(code, "as the test wants it"))
}

func TestJudge(t *testing.T) {
	lost := fmt.Errorf("committing: %w", postgres.ErrUncertain)
	fenced := fmt.Errorf("committing: %w", postgres.ErrFenceLost)
	away := failed(events.CodeDatabaseUnavailable)
	busy := failed(events.CodeSourceUnavailable)
	bad := failed(events.CodeNotCSV)
	odd := errors.New("odd")
	for name, tt := range map[string]struct {
		err    error
		pass   int
		inVain int
		want   action
		code   events.Code
		delay  time.Duration
		spent  bool
	}{
		"ownership lost":               {err: errOwnershipLost, want: dropJob},
		"ownership lost while reading": {err: fmt.Errorf("reading: %w", errOwnershipLost), want: dropJob},
		"cancel requested":             {err: errCancelRequested, want: cancelJob},
		"draining":                     {err: errDraining, want: releaseJob},
		"draining the last attempt":    {err: errDraining, inVain: 5, want: releaseJob},
		"newer run":                    {err: ledgerError{postgres.ErrSuperseded}, want: endJob},
		"uncertain":                    {err: lost, want: openAgain},
		"uncertain while opening":      {err: ledgerError{lost}, want: openAgain},
		"uncertain again and again": {
			err: lost, pass: maxPasses, want: releaseJob, code: events.CodeDatabaseUnavailable, delay: 5 * time.Second, spent: true,
		},
		"fence lost": {err: fenced, want: openAgain},
		"fence lost again and again": {
			err: fenced, pass: maxPasses, want: releaseJob, code: events.CodeDatabaseUnavailable, delay: 5 * time.Second, spent: true,
		},
		"database away while opening": {
			err: ledgerError{away}, want: releaseJob, code: events.CodeDatabaseUnavailable, delay: 20 * time.Second,
		},
		"database away in the last attempt": {
			err: ledgerError{away}, inVain: 5, want: releaseJob, code: events.CodeDatabaseUnavailable, delay: 20 * time.Second,
		},
		"database silent while opening": {
			err: ledgerError{context.DeadlineExceeded}, want: releaseJob, code: events.CodeDatabaseUnavailable, delay: 20 * time.Second,
		},
		"ledger refuses to settle": {
			err: ledgerError{failed(events.CodeNotPermitted)}, want: releaseJob, code: events.CodeNotPermitted, delay: 20 * time.Second,
		},
		"table busy": {
			err: failed(events.CodeTableBusy), want: releaseJob, code: events.CodeTableBusy, delay: 15 * time.Second,
		},
		"table busy in the last attempt": {
			err: failed(events.CodeTableBusy), inVain: 5, want: releaseJob, code: events.CodeTableBusy, delay: 15 * time.Second,
		},
		"database away in mid-load": {err: away, want: openAgain},
		"database away again and again": {
			err: away, pass: maxPasses, inVain: 2, want: releaseJob, code: events.CodeDatabaseUnavailable, delay: 10 * time.Second, spent: true,
		},
		"may pass":                      {err: busy, want: releaseJob, code: events.CodeSourceUnavailable, delay: 5 * time.Second, spent: true},
		"may pass, later":               {err: busy, inVain: 4, want: releaseJob, code: events.CodeSourceUnavailable, delay: 40 * time.Second, spent: true},
		"after progress":                {err: busy, want: releaseJob, code: events.CodeSourceUnavailable, delay: 5 * time.Second, spent: true},
		"last attempt":                  {err: busy, inVain: 5, want: failJob, code: events.CodeAttemptsExhausted},
		"permanent":                     {err: bad, want: failJob, code: events.CodeNotCSV},
		"permanent in the last attempt": {err: bad, inVain: 5, want: failJob, code: events.CodeNotCSV},
		"time limit":                    {err: failed(events.CodeTimeLimit), want: failJob, code: events.CodeTimeLimit},
		"unknown":                       {err: odd, want: failJob, code: events.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(tt.err, circumstances{
				pass: max(tt.pass, 1), inVain: tt.inVain, maxAttempts: 5, deliveries: 3, backoff: 5 * time.Second,
				jitter: func(d time.Duration) time.Duration { return d },
			})
			if got.action != tt.want || got.delay != tt.delay || got.spent != tt.spent {
				t.Errorf("judged %s, delay %s, spent %t", got.action, got.delay, got.spent)
			}
			if tt.code == "" && got.failure != nil || tt.code != "" && (got.failure == nil || got.failure.Code != tt.code) {
				t.Errorf("the failure is %v", got.failure)
			}
		})
	}
}

func TestUnknownErrorsAreNotShown(t *testing.T) {
	cause := errors.New("password=secret")
	f := asFailure(cause)
	if f.Code != events.CodeInternal || f.Message == "" || !errors.Is(f, cause) {
		t.Errorf("%+v", f)
	}
	if got := f.Error(); got == cause.Error() {
		t.Errorf("shows %q", got)
	}
}

func TestExhaustedKeepsTheLastCause(t *testing.T) {
	last := events.Failf(events.CodeSourceTruncated, "it broke off").AtPlace(3, 2, 17)
	f := exhausted(5, last)
	if f.Code != events.CodeAttemptsExhausted || f.Retryable || f.Line != 3 || f.Column != 2 || *f.ByteOffset != 17 {
		t.Errorf("%+v", f)
	}
	if want := "5 attempts in a row failed, the last one with source_truncated: it broke off"; f.Message != want {
		t.Errorf("says %q, want %q", f.Message, want)
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{
		0: 5 * time.Second, 1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 7: 320 * time.Second,
		8: 10 * time.Minute, 1000: 10 * time.Minute,
	} {
		if got := backoff(5*time.Second, n); got != want {
			t.Errorf("after try %d wait %s, want %s", n, got, want)
		}
	}
}

func TestJitter(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 1000 {
		d := jitter(5 * time.Second)
		if d < 5*time.Second || d > 6*time.Second {
			t.Fatalf("5s became %s", d)
		}
		seen[d] = true
	}
	if len(seen) < 100 {
		t.Errorf("only %d different delays", len(seen))
	}
	if d := jitter(0); d != 0 {
		t.Errorf("nothing became %s", d)
	}
}

func TestActionsHaveNames(t *testing.T) {
	for a := dropJob; a <= endJob; a++ {
		if a.String() == "" {
			t.Errorf("action %d has no name", a)
		}
	}
}
