package ingester_test

import (
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/services/ingester"
)

// skipping makes a job append to table t what it does not hold yet.
func skipping(s *events.Spec) { s.Table, s.Mode, s.SkipUnchanged = "t", events.Append, true }

func creating(s *events.Spec) { skipping(s); s.Mode = events.Create }

func replacing(s *events.Spec) { skipping(s); s.Mode = events.Replace }

// load brings a job to its success, and returns its result.
func (e *env) load(url string, changes ...func(*events.Spec)) (events.Job, events.Succeeded) {
	e.t.Helper()
	job := e.submit(newJob(url, changes...))
	end, _ := e.await(job, events.TypeSucceeded).Data.(events.Succeeded)
	e.awaitOff()
	return job, end
}

// expectUnchangedSince holds that a job has loaded nothing because the rows of another one stand.
func (e *env) expectUnchangedSince(loader events.Job, base events.Result, job events.Job, end events.Succeeded) {
	e.t.Helper()
	r := end.Result
	if r.Outcome != events.OutcomeUnchanged || r.UnchangedSince != loader.ID || r.Rows != 0 || r.Rejected != 0 || r.ResumedFrom != 0 ||
		r.Table != base.Table || r.Bytes != base.Bytes || r.Checksum != base.Checksum || len(r.Columns) != len(base.Columns) {
		e.t.Errorf("the result of job %s is %+v, want unchanged since %s", job.ID, r, loader.ID)
	}
	if f := end.Figures; f.Rows != 0 || f.Rejected != 0 || f.Phase != events.PhaseDone || f.TotalBytes == nil || *f.TotalBytes != f.Bytes {
		e.t.Errorf("the figures of job %s are %+v", job.ID, f)
	}
	if n := e.batches(job); n != 0 {
		e.t.Errorf("the ledger has %d batches of job %s", n, job.ID)
	}
}

// TestSameVersionIsNotRead holds that of a file whose server proves that it is the one which was loaded nothing more is read
// than has arrived by then.
func TestSameVersionIsNotRead(t *testing.T) {
	t.Parallel()
	const rows = 800_000
	content := bigFile(rows)
	for name, tt := range map[string]struct {
		*library
		changes []func(*events.Spec)
	}{
		"by its tag":                {&library{etag: `"1"`}, []func(*events.Spec){skipping}},
		"by its date":               {&library{dated: true}, []func(*events.Spec){skipping}},
		"in mode create":            {&library{etag: `"1"`}, []func(*events.Spec){creating}},
		"in mode replace":           {&library{dated: true}, []func(*events.Spec){replacing}},
		"by its tag, under no name": {&library{etag: `"1"`}, []func(*events.Spec){creating, func(s *events.Spec) { s.Table = "" }}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.BatchBytes = 4 << 20 })
			tt.content = content
			file := lending(t, tt.library)
			loader, base := e.load(file.url, tt.changes...)
			if base.Result.Outcome != events.OutcomeLoaded || base.Result.Rows != rows {
				t.Fatalf("the result is %+v", base.Result)
			}
			file.was()
			for range 2 {
				job, end := e.load(file.url, tt.changes...)
				e.expectUnchangedSince(loader, base.Result, job, end)
				e.expectHistory(job, "started succeeded")
				if asked, sent := file.was(); asked != 1 || sent > len(content)/2 || end.Figures.Bytes != 0 {
					t.Errorf("asked %d times, and was sent %d of %d bytes, of which %d were read", asked, sent, len(content), end.Figures.Bytes)
				}
			}
			loader.Spec.Table = base.Result.Table
			e.expectDataset(loader, rows)
		})
	}
}

// TestSameContentIsNotLoaded holds that a file which is read to its end and turns out to be the one which was loaded leaves
// nothing, and that the next job goes by what its server says now.
func TestSameContentIsNotLoaded(t *testing.T) {
	t.Parallel()
	head, tail := numbered(3000)
	content := head + "bad,row,of,four\n" + tail
	for name, tt := range map[string]struct {
		*library
		then func(*library)
		next int // bytes that a third job reads
	}{
		"no version":                {&library{}, func(*library) {}, len(content)},
		"another tag":               {&library{etag: `"1"`}, func(l *library) { l.etag = `"2"` }, 0},
		"a tag since":               {&library{}, func(l *library) { l.etag = `"1"` }, 0},
		"no tag any more":           {&library{etag: `"1"`}, func(l *library) { l.etag = "" }, len(content)},
		"a tag instead of the date": {&library{dated: true}, func(l *library) { l.etag = `"1"` }, 0},
		"a weak tag":                {&library{etag: `W/"1"`}, func(*library) {}, len(content)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1")
			tt.content = content
			file := lending(t, tt.library)
			strict := func(s *events.Spec) { s.ExtraFields, s.MaxBadRows = events.RejectExtra, events.BadRows{Count: 5} }
			loader, base := e.load(file.url, skipping, strict)
			if base.Result.Rejected != 1 {
				t.Fatalf("the result is %+v", base.Result)
			}
			file.change(func() { tt.then(file) })
			job, end := e.load(file.url, skipping, strict)
			e.expectUnchangedSince(loader, base.Result, job, end)
			if end.Figures.Bytes != int64(len(content)) {
				t.Errorf("read are %d of %d bytes", end.Figures.Bytes, len(content))
			}
			job, end = e.load(file.url, skipping, strict)
			e.expectUnchangedSince(loader, base.Result, job, end)
			if end.Figures.Bytes != int64(tt.next) {
				t.Errorf("the third time %d of %d bytes are read", end.Figures.Bytes, len(content))
			}
			loader.Spec.Table = "t"
			e.expectDataset(loader, 3000)
			var rejects int
			if err := e.sql.QueryRow(e.ctx, "SELECT count(*) FROM sluice.rejects").Scan(&rejects); err != nil || rejects != 1 {
				t.Errorf("%d rejects, %v", rejects, err)
			}
		})
	}
}

// TestChangedIsLoadedAgain holds what makes a job load its file although one like it was loaded.
func TestChangedIsLoadedAgain(t *testing.T) {
	t.Parallel()
	nothing := func(*env, *library) {}
	for name, tt := range map[string]struct {
		meanwhile func(*env, *library)
		change    func(*events.Spec) // of the second job
		rows      int                // afterwards
	}{
		"its content": {func(_ *env, l *library) {
			l.change(func() { l.content, l.etag = "n,text\n1,a\n2,b\n", `"2"` })
		}, skipping, 3},
		"nothing, but it is not to be skipped": {nothing, func(s *events.Spec) { s.SkipUnchanged = false }, 2},
		"its null":                             {nothing, func(s *events.Spec) { s.Null = []string{"a"} }, 2},
		"its delimiter, that is told":          {nothing, func(s *events.Spec) { comma := ","; s.CSV.Delimiter = &comma }, 2},
		"its limit of bad rows":                {nothing, func(s *events.Spec) { s.MaxBadRows = events.BadRows{Count: 1} }, 2},
		"its table":                            {nothing, func(s *events.Spec) { s.Table = "t2" }, 1},
		"the table is dropped":                 {func(e *env, _ *library) { e.exec("DROP TABLE t") }, skipping, 1},
		"the table is made anew":               {func(e *env, _ *library) { e.exec("DROP TABLE t; CREATE TABLE t (n text, text text)") }, skipping, 1},
		"the table is replaced": {func(e *env, l *library) {
			e.load(strings.Replace(l.url, "file", "other", 1), replacing)
		}, skipping, 2},
		"its query": {func(_ *env, l *library) { l.url += "?x" }, skipping, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1")
			file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
			e.load(file.url, skipping)
			tt.meanwhile(e, file)
			job, end := e.load(file.url, skipping, tt.change)
			if end.Result.Outcome != events.OutcomeLoaded || end.Result.UnchangedSince != "" {
				t.Errorf("the result is %+v", end.Result)
			}
			var rows int
			if err := e.sql.QueryRow(e.ctx, "SELECT count(*) FROM "+job.Spec.Table).Scan(&rows); err != nil || rows != tt.rows {
				t.Errorf("%d rows, want %d, %v", rows, tt.rows, err)
			}
		})
	}
}

// TestOthersRowsDoNotMatter holds that what is appended of another file does not make this one changed.
func TestOthersRowsDoNotMatter(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
	loader, base := e.load(file.url, skipping)
	e.load(strings.Replace(file.url, "file", "other", 1), skipping)
	job, end := e.load(file.url, skipping, func(s *events.Spec) { s.Priority, s.Ordered = events.Urgent, true })
	e.expectUnchangedSince(loader, base.Result, job, end)
	job, end = e.load(file.url, replacing) // the rows made the table
	e.expectUnchangedSince(loader, base.Result, job, end)
}

// TestCreateWithoutAVersion holds that a stated table which exists is refused before the file is read to its end.
func TestCreateWithoutAVersion(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	file := lending(t, &library{content: bigFile(1000)})
	e.load(file.url, creating)
	job := e.submit(newJob(file.url, creating))
	if f := failure(e.await(job, events.TypeFailed)); f.Code != events.CodeTableExists {
		t.Errorf("failed with %+v", f)
	}
	loader, base := e.load(file.url, creating, func(s *events.Spec) { s.Table = "" })
	job, end := e.load(file.url, creating, func(s *events.Spec) { s.Table = "" })
	e.expectUnchangedSince(loader, base.Result, job, end)
	e.expectTables(2)
}

// TestUnknownEndProvesNothing holds that a version which may have been cut off when it was loaded is read again.
func TestUnknownEndProvesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	whole := "n,text\n1,a\n2,b\n"
	file := lending(t, &library{content: whole[:11], etag: `"1"`, bare: true})
	if _, base := e.load(file.url, skipping); len(base.Result.Warnings) != 1 {
		t.Fatalf("the result is %+v", base.Result)
	}
	file.change(func() { file.content = whole })
	if _, end := e.load(file.url, skipping); end.Result.Outcome != events.OutcomeLoaded || end.Result.Rows != 2 {
		t.Errorf("the result is %+v", end.Result)
	}
}
