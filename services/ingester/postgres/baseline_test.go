package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

const (
	first  = "sha256:01" // what the source holds in most tests
	second = "sha256:02"
)

// versioned is a job whose source has a key, and holds something.
type versioned struct {
	*world
	key, checksum string
	spec          events.Spec
	db            *postgres.Database
	opened        *postgres.Load
}

// version returns a job that brings a source into table trips.
func (w *world) version(key, checksum string, mode events.Mode) *versioned {
	spec := events.Spec{Schema: "public", Table: "trips", Mode: mode, SkipUnchanged: true}
	if mode == events.Upsert {
		spec.Key = []string{"value"}
	}
	own := *w // a job of its own
	return &versioned{world: &own, key: key, checksum: checksum, spec: spec, db: w.db}
}

func (v *versioned) open() *postgres.Load {
	v.Helper()
	v.job = uuid.NewString()
	load, _, err := v.db.Open(testenv.Context(v), postgres.Claim{JobID: v.job, Run: 1, Attempt: 1, Spec: v.spec})
	v.must(err)
	v.opened = load
	return load
}

// source is by what the content is recognised.
func (v *versioned) source() json.RawMessage { return json.RawMessage(`{"etag":"` + v.checksum + `"}`) }

func (v *versioned) publication() postgres.Publication {
	p := v.world.publication()
	p.SourceKey, p.Result.Checksum, p.Result.ResumedFrom = v.key, v.checksum, 5
	p.Result.Warnings = []events.Warning{{Code: events.WarnShortRow, Count: 1}}
	p.Result.Durations = events.Durations{QueuedMS: 1, LoadingMS: time.Now().UnixMicro()}
	if p.Table = v.spec.Table; p.Table == "" {
		p.Table, p.Derived = "derived", true
	}
	return p
}

// loaded brings the source into its table, which takes one row of it, whether or not that is needed.
func (v *versioned) loaded() *postgres.Outcome {
	v.Helper()
	v.spec.SkipUnchanged = false
	defer func() { v.spec.SkipUnchanged = true }()
	return v.read()
}

// read brings the source into its table if its content says so.
func (v *versioned) read() *postgres.Outcome {
	v.Helper()
	outcome, err := v.readWith(testenv.Context(v), v.open())
	v.must(err)
	return outcome
}

func (v *versioned) readWith(ctx context.Context, load *postgres.Load) (*postgres.Outcome, error) {
	if err := load.Prepare(ctx, postgres.File{Columns: columns("value"), Source: v.source()}); err != nil {
		return nil, err
	}
	if err := load.Commit(ctx, batch(0, 10, v.checksum+v.job)); err != nil {
		return nil, err
	}
	return load.Publish(ctx, batch(10, 20), v.publication())
}

// recognised ends a job if its source is known to be the same, and returns nil if it is not.
func (v *versioned) recognised() *postgres.Outcome {
	v.Helper()
	load := v.open()
	outcome, err := load.Unchanged(testenv.Context(v), v.recognition(), v.same)
	v.must(err)
	return outcome
}

func (v *versioned) recognition() postgres.Publication {
	p := v.publication()
	p.Result = events.Result{Durations: p.Result.Durations}
	p.Source = json.RawMessage(strings.Replace(string(v.source()), "{", `{"place":"new",`, 1))
	return p
}

func (v *versioned) same(b postgres.Baseline) bool {
	var was struct {
		ETag string `json:"etag"`
	}
	v.must(json.Unmarshal(b.Source, &was))
	return was.ETag == v.checksum
}

// TestBaseline holds what of all that may happen to a table makes a source that is the same count as unchanged.
func TestBaseline(t *testing.T) {
	other := func(mode events.Mode, checksum string) func(*world) {
		return func(w *world) { w.version("other", checksum, mode).loaded() }
	}
	exec := func(sql string) func(*world) { return func(w *world) { w.exec(sql) } }
	for name, tt := range map[string]struct {
		meanwhile func(w *world)
		unchanged bool
	}{
		"nothing":                       {func(*world) {}, true},
		"another file was appended":     {other(events.Append, first), true},
		"another file replaced it":      {other(events.Replace, first), false},
		"it was dropped":                {exec("DROP TABLE trips"), false},
		"it was renamed":                {exec("ALTER TABLE trips RENAME TO others"), false},
		"it was moved":                  {exec("CREATE SCHEMA other; ALTER TABLE trips SET SCHEMA other"), false},
		"it was made anew":              {exec("DROP TABLE trips; CREATE TABLE trips (value text)"), false},
		"another took its name":         {exec("ALTER TABLE trips RENAME TO others; CREATE TABLE trips (value text)"), false},
		"a view took its name":          {exec("ALTER TABLE trips RENAME TO others; CREATE VIEW trips AS TABLE others"), false},
		"it was emptied":                {exec("TRUNCATE trips"), true},
		"it was rewritten":              {exec("ALTER TABLE trips ADD n int DEFAULT random(); ALTER TABLE trips ALTER value TYPE varchar(99)"), true},
		"its schema got another name":   {exec("ALTER SCHEMA public RENAME TO others; CREATE SCHEMA public"), false},
		"it was restored from a dump":   {restore, true},
		"it was restored, and replaced": {func(w *world) { restore(w); other(events.Replace, first)(w) }, false},
		"it was restored, and appended": {func(w *world) { restore(w); other(events.Append, first)(w) }, true},
		"it was restored, and dropped":  {func(w *world) { restore(w); w.exec("DROP TABLE trips") }, false},
		"it was replaced, and restored": {func(w *world) { other(events.Replace, first)(w); restore(w) }, false},
		"it was unchanged, and restored": {func(w *world) {
			w.version("key", first, events.Append).recognised()
			restore(w)
		}, true},
		"a later version was loaded": {func(w *world) { w.version("key", second, events.Append).loaded() }, false},
		"the same was loaded again":  {func(w *world) { w.version("key", first, events.Append).loaded() }, true},
		"a later version failed": {func(w *world) {
			load := w.version("key", second, events.Append).open()
			_, err := load.Fail(testenv.Context(w), *events.Failf(events.CodeNotCSV, "no"), events.Figures{}, time.Now())
			w.must(err)
		}, true},
		"a later version is being loaded": {func(w *world) {
			load := w.version("key", second, events.Append).open()
			w.must(load.Prepare(testenv.Context(w), postgres.File{Columns: columns("value")}))
			w.commit(load, batch(0, 10, "x"))
		}, true},
		"the worker's clock went wrong": {func(w *world) {
			w.version("key", second, events.Append).loaded()
			w.exec("UPDATE sluice.loads SET ended_at = now() - interval '1 day' WHERE result->>'checksum' = $1", second)
		}, false},
		"it was there before the ledger said so": {exec("UPDATE sluice.loads SET source_key = NULL"), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.version("key", first, events.Create).loaded()
			tt.meanwhile(w)
			got := w.version("key", first, events.Append).recognised()
			if (got != nil) != tt.unchanged {
				t.Errorf("the outcome is %+v, want one: %t", got, tt.unchanged)
			}
		})
	}
}

// restore gives ledger and table other OIDs, as pg_restore does.
func restore(w *world) {
	w.Helper()
	for _, table := range []string{"sluice.loads", "public.trips"} {
		_, name, _ := strings.Cut(table, ".")
		w.exec("CREATE TABLE " + table + "_again (LIKE " + table + " INCLUDING ALL); INSERT INTO " + table + "_again TABLE " + table +
			"; DROP TABLE " + table + "; ALTER TABLE " + table + "_again RENAME TO " + name)
	}
}

// TestNoBaseline holds what makes two jobs different whose sources may hold the same.
func TestNoBaseline(t *testing.T) {
	w := newWorld(t)
	w.version("key", first, events.Create).loaded()
	for name, v := range map[string]*versioned{
		"another key":     w.version("other", first, events.Append),
		"no key":          w.version("", first, events.Append),
		"another version": w.version("key", second, events.Append),
	} {
		if got := v.recognised(); got != nil {
			t.Errorf("%s: the outcome is %+v", name, got)
		}
	}
	w.exec("UPDATE sluice.loads SET source_key = NULL")
	if got := w.version("", first, events.Append).recognised(); got != nil {
		t.Errorf("neither has a key: the outcome is %+v", got)
	}
}

// TestReplacementWantsTheTableForItself holds that rows which lie beside others' do for all modes but one.
func TestReplacementWantsTheTableForItself(t *testing.T) {
	for name, tt := range map[string]struct {
		before  string // SQL
		modes   []events.Mode
		replace bool
	}{
		"created":                 {"", []events.Mode{events.Create}, true},
		"appended to nothing":     {"", []events.Mode{events.Append}, true},
		"replaced":                {"CREATE TABLE trips (value text)", []events.Mode{events.Replace}, true},
		"appended":                {"CREATE TABLE trips (value text)", []events.Mode{events.Append}, false},
		"upserted":                {"CREATE TABLE trips (value text PRIMARY KEY)", []events.Mode{events.Upsert}, false},
		"created, then appended":  {"", []events.Mode{events.Create, events.Append}, false},
		"appended, then replaced": {"", []events.Mode{events.Create, events.Append, events.Replace}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.exec(tt.before)
			for _, mode := range tt.modes {
				w.version("key", first, mode).loaded()
			}
			for range 2 { // the second time by what the first has left
				if got := w.version("key", first, events.Append).recognised(); got == nil {
					t.Error("to append again is not unchanged")
				}
			}
			if got := w.version("key", first, events.Replace).recognised(); (got != nil) != tt.replace {
				t.Errorf("to replace is %+v, want unchanged: %t", got, tt.replace)
			}
		})
	}
}

// TestUnchangedOutcome holds what is told of a source that is unchanged, whichever way that was found, and that the ledger tells
// the same ever after.
func TestUnchangedOutcome(t *testing.T) {
	for _, table := range []string{"trips", ""} {
		for name, find := range map[string]func(*versioned) *postgres.Outcome{
			"recognised": (*versioned).recognised, "read": (*versioned).read,
		} {
			t.Run(name+" "+table, func(t *testing.T) {
				w := newWorld(t)
				v := w.version("key", first, events.Append)
				if v.spec.Table = table; table == "" {
					v.spec.Mode = events.Create
				}
				base := v.loaded()
				loader := v.job
				rows := w.list("SELECT value FROM " + base.Result.Table)
				for range 3 { // of which each has the one before for its baseline
					got := find(v)
					want := base.Result
					want.Outcome, want.UnchangedSince, want.Rows, want.ResumedFrom = events.OutcomeUnchanged, loader, 0, 0
					if want.Durations = got.Result.Durations; want.Durations == base.Result.Durations {
						t.Error("the durations are the other job's")
					}
					if !reflect.DeepEqual(got.Result, want) {
						t.Errorf("the result is\n%+v, want\n%+v", got.Result, want)
					}
					if f := got.Figures; got.State != events.StateSucceeded || f.Rows != 0 || f.Rejected != 0 || f.Phase != events.PhaseDone {
						t.Errorf("the outcome is %+v", got)
					}
					_, again, err := w.db.Open(testenv.Context(t), postgres.Claim{JobID: v.job, Run: 1, Attempt: 2, Spec: v.spec})
					w.must(err)
					if got.At = got.At.UTC(); !reflect.DeepEqual(again, got) {
						t.Errorf("opened again it is\n%+v, want\n%+v", again, got)
					}
					w.wantList("batches", nil, "SELECT batch::text FROM sluice.batches WHERE job_id = $1", v.job)
					if name == "recognised" { // the next has this one's validator to go by
						w.wantList("source", []string{string(v.recognition().Source)}, "SELECT source::text FROM sluice.loads WHERE job_id = $1", v.job)
					}
				}
				w.wantTables(base.Result.Table)
				w.wantRows(base.Result.Table, rows...)
			})
		}
	}
}

// TestUnchangedLeavesNothing holds that neither rows nor rejects stay of a load that has found in the end, or in going on, that
// there was nothing to do.
func TestUnchangedLeavesNothing(t *testing.T) {
	ctx := t.Context()
	for name, end := range map[string]func(*versioned, *postgres.Load) (*postgres.Outcome, error){
		"recognised": func(v *versioned, l *postgres.Load) (*postgres.Outcome, error) {
			return l.Unchanged(ctx, v.recognition(), v.same)
		},
		"read": func(v *versioned, l *postgres.Load) (*postgres.Outcome, error) {
			return l.Publish(ctx, rejecting(30, 40), v.publication())
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			v := w.version("key", first, events.Append)
			v.loaded()
			before := w.list("SELECT value FROM trips")
			load := v.open()
			w.must(load.Prepare(ctx, postgres.File{Columns: columns("value")}))
			w.must(load.Commit(ctx, batch(0, 10, "a")))
			w.must(load.Commit(ctx, rejecting(10, 20)))
			load, _, err := w.db.Open(ctx, postgres.Claim{JobID: v.job, Run: 1, Attempt: 2, Spec: v.spec})
			w.must(err)
			w.must(load.Commit(ctx, batch(20, 30, "b")))
			outcome, err := end(v, load)
			w.must(err)
			if outcome == nil || outcome.Result.Outcome != events.OutcomeUnchanged || outcome.Result.Rejected != 0 || outcome.Attempt != 2 {
				t.Errorf("the outcome is %+v", outcome)
			}
			w.wantTables("trips")
			w.wantRows("trips", before...)
			for _, table := range []string{"batches", "rejects"} {
				w.wantList(table, nil, "SELECT job_id::text FROM sluice."+table+" WHERE job_id = $1", v.job)
			}
		})
	}
}

// rejecting is a batch of a row that is rejected.
func rejecting(start, end int64) *postgres.Batch {
	b := postgres.NewBatch(start)
	_ = b.Append(context.Background(), postgres.Block{ // fails with its context only
		End: end, Rejects: []postgres.Reject{{Line: start, Offset: start, Code: events.CodeNULByte, Reason: "no", Raw: "x"}},
	})
	b.Close()
	return b
}

// TestChangedIsLoaded holds that a content which differs is loaded although the job would have been glad not to.
func TestChangedIsLoaded(t *testing.T) {
	w := newWorld(t)
	w.version("key", first, events.Append).read()
	if got := w.version("key", second, events.Append).read(); got.Result.Outcome != events.OutcomeLoaded || got.Result.Rows != 1 {
		t.Errorf("the outcome is %+v", got)
	}
	if got := w.version("key", first, events.Append).read(); got.Result.Outcome != events.OutcomeLoaded { // only the latest counts
		t.Errorf("the outcome is %+v", got)
	}
	w.wantList("rows", []string{"3"}, "SELECT count(*)::text FROM trips")
}

// TestBaselineThatGoesMeanwhile has the table replaced between the look at the baseline and the turn of the job.
func TestBaselineThatGoesMeanwhile(t *testing.T) {
	for name, replace := range map[string]func(*world){
		"replaced": func(w *world) { w.version("other", second, events.Replace).loaded() },
		"dropped":  func(w *world) { w.exec("DROP TABLE trips") },
		"loaded":   func(w *world) { w.version("key", second, events.Append).loaded() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			v := w.version("key", first, events.Append)
			v.loaded()
			load, looks := v.open(), 0
			before := w.list("SELECT l::text FROM sluice.loads l WHERE job_id = $1", v.job)
			outcome, err := load.Unchanged(testenv.Context(t), v.recognition(), func(b postgres.Baseline) bool {
				if looks++; looks == 1 {
					replace(w)
				}
				return v.same(b)
			})
			w.must(err)
			if outcome != nil {
				t.Errorf("the outcome is %+v", outcome)
			}
			w.wantList("its row", before, "SELECT l::text FROM sluice.loads l WHERE job_id = $1", v.job)
			if outcome, err = v.readWith(testenv.Context(t), load); err != nil || outcome.Result.Outcome != events.OutcomeLoaded {
				t.Errorf("loaded: %+v, %v", outcome, err)
			}
		})
	}
}

// TestSameFileTwiceAtOnce holds that of jobs which find nothing at their start, and the same in the end, one loads it.
func TestSameFileTwiceAtOnce(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	const jobs = 5
	ends := make(chan *postgres.Outcome, jobs)
	for range jobs {
		v := w.version("key", first, events.Append)
		v.db = w.worker(w.url)
		load := v.open()
		w.must(load.Prepare(ctx, postgres.File{Columns: columns("value")}))
		w.must(load.Commit(ctx, batch(0, 10, "a")))
		go func() {
			for { // as long as the others have their turns
				outcome, err := load.Publish(ctx, batch(10, 20), v.publication())
				if f, ok := errors.AsType[*events.Failure](err); ok && f.Code == events.CodeTableBusy {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				ends <- outcome
				return
			}
		}()
	}
	loaded, since := 0, map[string]bool{}
	for range jobs {
		if o := <-ends; o != nil && o.Result.Outcome == events.OutcomeLoaded {
			loaded++
		} else if o != nil {
			since[o.Result.UnchangedSince] = true
		}
	}
	if loaded != 1 || len(since) != 1 {
		t.Errorf("%d have loaded, and the others stand on %v", loaded, since)
	}
	w.wantTables("trips")
	w.wantRows("trips", "a")
}

// TestUnchangedTakesItsTurn holds that a job waits for one that publishes into the table, but not for long.
func TestUnchangedTakesItsTurn(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	v := w.version("key", first, events.Append)
	v.loaded()
	tx, err := w.raw.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('sluice:public.trips', 0))")
	w.must(err)
	load := v.open()
	_, err = load.Unchanged(ctx, v.recognition(), v.same)
	wantFailure(t, err, events.CodeTableBusy)
	w.must(tx.Rollback(ctx))
	if outcome, err := load.Unchanged(ctx, v.recognition(), v.same); outcome == nil || err != nil {
		t.Errorf("afterwards: %+v, %v", outcome, err)
	}
}

// TestUnchangedNeedsTheFence holds that a worker which has lost the job cannot end it so.
func TestUnchangedNeedsTheFence(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	v := w.version("key", first, events.Append)
	v.loaded()
	stale, before := v.open(), w.ledger()
	takeOver := func() {
		_, _, err := w.db.Open(ctx, postgres.Claim{JobID: v.job, Run: 1, Attempt: 2, Spec: v.spec})
		w.must(err)
		before = w.ledger()
	}
	if o, err := stale.Unchanged(ctx, v.recognition(), func(postgres.Baseline) bool { takeOver(); return true }); err == nil {
		t.Errorf("lost meanwhile: %+v", o)
	}
	_, err := stale.Unchanged(ctx, v.recognition(), v.same)
	w.wantFenceLost("lost before", err)
	if after := w.ledger(); !slices.Equal(after, before) {
		t.Errorf("changed from\n%q to\n%q", before, after)
	}
}

// TestUnchangedWithoutAnAnswer holds that opening the job again tells whether the commit took place.
func TestUnchangedWithoutAnAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		fault     fault
		committed bool
	}{"lost": {cutBeforeCommit, false}, "answer lost": {cutAfterCommit, true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			w.version("key", first, events.Append).loaded()
			proxy, url := throughProxy(t, w.url)
			v := w.version("key", first, events.Append)
			v.db = w.worker(url)
			load := v.open()
			proxy.arm(tt.fault)
			if _, err := load.Unchanged(ctx, v.recognition(), v.same); !errors.Is(err, postgres.ErrUncertain) {
				t.Fatalf("%v, want ErrUncertain", err)
			}
			again, outcome, err := w.db.Open(ctx, postgres.Claim{JobID: v.job, Run: 1, Attempt: 1, Spec: v.spec})
			w.must(err)
			if (outcome != nil) != tt.committed {
				t.Fatalf("outcome %+v, want one: %t", outcome, tt.committed)
			}
			if outcome == nil {
				outcome, err = again.Unchanged(ctx, v.recognition(), v.same)
				w.must(err)
			}
			if outcome.Result.Outcome != events.OutcomeUnchanged {
				t.Errorf("the outcome is %+v", outcome)
			}
		})
	}
}

// TestUnchangedExpires holds that of the ends that have made nothing the latest of a source is kept, and what they stand on.
func TestUnchangedExpires(t *testing.T) {
	w := newWorld(t)
	v := w.version("key", first, events.Append)
	v.loaded()
	loader := v.job
	v.recognised()
	older := v.job
	v.recognised()
	for _, job := range []string{loader, older, v.job} {
		w.job = job
		w.age("100 days", "100 days")
	}
	if got, want := w.expired(), []postgres.Expired{{JobID: older, Run: 1}}; !slices.Equal(got, want) {
		t.Errorf("expired are %+v, want %+v", got, want)
	}
	if forgotten, err := w.db.Forget(testenv.Context(t), postgres.Expired{JobID: older, Run: 1}); err != nil || !forgotten {
		t.Errorf("forgotten: %t, %v", forgotten, err)
	}
	if got := v.recognised(); got == nil || got.Result.UnchangedSince != loader {
		t.Errorf("the outcome is %+v", got)
	}
	w.exec("DROP TABLE trips")
	if got := w.expired(); len(got) != 2 {
		t.Errorf("without the table expired are %+v", got)
	}
}
