package ingester_test

import (
	"net/url"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/ingester"
)

// TestBadFilesFail holds that a file that cannot be loaded fails its job at once, for a reason that leads to the fault.
func TestBadFilesFail(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	files := testenv.Files(t, map[string]string{
		"/empty.csv": "",
		"/page.csv":  "<!DOCTYPE html><html><body>Please log in</body></html>",
		"/quote.csv": "a,b\n1,2\n3,\"4\n5,6\n",
		"/nul.csv":   "a,b\n1,\x00\n",
		"/long.csv":  "a,b\n1,2\n3,4,5\n",
	})
	offset := func(n int64) *int64 { return &n }
	for _, tt := range []struct {
		file string
		want events.Failure
	}{
		{"missing.csv", events.Failure{Code: events.CodeSourceNotFound}},
		{"empty.csv", events.Failure{Code: events.CodeEmptySource}},
		{"page.csv", events.Failure{Code: events.CodeNotCSV}},
		{"quote.csv", events.Failure{Code: events.CodeUnterminatedQuote, Line: 3, Column: 2, ByteOffset: offset(10)}},
		{"nul.csv", events.Failure{Code: events.CodeNULByte, Line: 2, Column: 2, ByteOffset: offset(6)}},
		{"long.csv", events.Failure{Code: events.CodeTooManyFields, Line: 3, Column: 3, ByteOffset: offset(12)}},
	} {
		job := e.submit(newJob(files+"/"+tt.file, func(s *events.Spec) { s.ExtraFields = events.RejectExtra }))
		got := failure(e.awaitEnd(job, events.StateFailed, 0))
		if got.Code != tt.want.Code || got.Line != tt.want.Line || got.Column != tt.want.Column || got.Message == "" || got.Retryable {
			t.Errorf("%s: failed with %+v", tt.file, got)
		}
		if want := tt.want.ByteOffset; want != nil && (got.ByteOffset == nil || *got.ByteOffset != *want) {
			t.Errorf("%s: at byte %v, want %d", tt.file, got.ByteOffset, *want)
		}
		e.expectHistory(job, "started failed")
	}
}

// TestHeaderAloneIsADataset holds that a file without rows is loaded as a table without rows.
func TestHeaderAloneIsADataset(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	files := testenv.Files(t, map[string]string{"/header.csv": "n,text\n"})
	job := e.submit(newJob(files + "/header.csv"))
	end := e.awaitEnd(job, events.StateSucceeded, 0)
	result := end.Data.(events.Succeeded).Result
	if result.Rows != 0 || len(result.Columns) != 2 || result.Bytes != 7 || result.Table != job.Spec.Table {
		t.Errorf("the result is %+v", result)
	}
}

// TestTableIsTakenAtTheEnd holds that a name that is taken by the time of publishing fails the job.
func TestTableIsTakenAtTheEnd(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	e.start("w1")
	job := e.submit(newJob(file.url, func(s *events.Spec) { s.Table = "taken" }))
	e.awaitBatches(job)
	if _, err := e.sql.Exec(e.ctx, "CREATE TABLE public.taken (n int)"); err != nil {
		t.Fatal(err)
	}
	file.release()
	failed := e.await(job, events.TypeFailed)
	if f := failure(failed); f.Code != events.CodeTableExists {
		t.Errorf("failed with %+v", f)
	}
	if phase := failed.Data.(events.Failed).Figures.Phase; phase != events.PhasePublishing {
		t.Errorf("failed in phase %s", phase)
	}
	e.expectTables(1)
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.JobTime = 500 * time.Millisecond })
	job := e.submit(newJob(holding(t, 1).url))
	if f := failure(e.awaitEnd(job, events.StateFailed, 0)); f.Code != events.CodeTimeLimit {
		t.Errorf("failed with %+v", f)
	}
}

// TestSealedSource holds that an address with a secret is opened with the key that sealed it, and with no other.
func TestSealedSource(t *testing.T) {
	t.Parallel()
	file := holding(t, 0)
	whole, err := url.Parse(file.url + "?token=secret")
	if err != nil {
		t.Fatal(err)
	}
	right := seal.NewKey()
	for name, key := range map[string]string{"right key": right, "wrong key": seal.NewKey(), "no key": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1", func(_ *ingester.Config, p *ingester.Parts) { p.Sealer = sealer(t, key) })
			job := newJob("")
			if job.Spec.Source, err = sealer(t, right).Source(job.ID, whole, nil); err != nil {
				t.Fatal(err)
			}
			e.submit(job)
			if key == right {
				e.awaitEnd(job, events.StateSucceeded, file.rows)
				return
			}
			if f := failure(e.awaitEnd(job, events.StateFailed, 0)); f.Code != events.CodeSecretUnreadable {
				t.Errorf("failed with %+v", f)
			}
		})
	}
}

func sealer(t testing.TB, key string) seal.Sealer {
	t.Helper()
	s, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
