package postgres_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func TestANewRunMayFollowOneThatEnded(t *testing.T) {
	for name, settle := range settlings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := settle(testenv.Context(t), w.prepared(w.db))
			w.must(err)
			second := w.open(w.db, 2)
			if second.Fence() != 2 {
				t.Errorf("fence %d", second.Fence())
			}
			for _, run := range []int{1, 2} {
				if o, err := w.db.Outcome(testenv.Context(t), w.job, run); err != nil || o != nil {
					t.Errorf("outcome of run %d: %+v, %v", run, o, err)
				}
			}
			before := w.ledger()
			if _, _, err := w.db.Open(testenv.Context(t), w.claim(1)); !errors.Is(err, postgres.ErrSuperseded) {
				t.Errorf("opening run 1 after run 2: %v", err)
			}
			if after := w.ledger(); !reflect.DeepEqual(after, before) {
				t.Errorf("that changed\n%q to\n%q", before, after)
			}
			w.must(second.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
			w.publish(second, batch(0, 10, "a"))
			w.wantRows(w.name, "a")
		})
	}
}

func TestANewRunMayOvertakeOneThatLoads(t *testing.T) {
	w := newWorld(t)
	first := w.prepared(w.db)
	w.commit(first, batch(0, 10, "a"))
	w.open(w.db, 2)
	w.wantNothingLeft()
	for name, do := range steps {
		if err := do(testenv.Context(t), first, w); !errors.Is(err, postgres.ErrFenceLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOutcomeIsFinal(t *testing.T) {
	publish := func(ctx context.Context, l *postgres.Load) (*postgres.Outcome, error) {
		return l.Publish(ctx, batch(0, 10, "a"), postgres.Publication{
			Table: "trips", At: time.Now().In(time.FixedZone("", 3600)), Figures: events.Figures{Bytes: 10, Phase: events.PhaseDone},
			Result: events.Result{
				Outcome: "loaded", Columns: columns("value"), Checksum: "sha256:00",
				Warnings: []events.Warning{{Code: events.WarnShortRow, Count: 1, Lines: []int64{2}}},
			},
		})
	}
	for name, c := range map[string]struct {
		settle  func(context.Context, *postgres.Load) (*postgres.Outcome, error)
		state   events.State
		anyRun  bool
		message string
	}{
		"published": {publish, events.StateSucceeded, true, ""},
		"failed":    {settlings["fail"], events.StateFailed, false, "a \x00 byte in “é”"},
		"cancelled": {settlings["cancel"], events.StateCancelled, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := testenv.Context(t)
			load, _, err := w.db.Open(ctx, postgres.Claim{JobID: w.job, Run: 2, Attempt: 3, Spec: events.Spec{Schema: "public"}})
			w.must(err)
			w.must(load.Prepare(ctx, postgres.File{Columns: columns("value")}))
			want, err := c.settle(ctx, load)
			w.must(err)
			if want.State != c.state || want.Run != 2 || want.Attempt != 3 || time.Since(want.At).Abs() > time.Minute {
				t.Errorf("outcome %+v", want)
			}
			if f := want.Failure; f.Message != c.message || c.message != "" && (f.Line != 3 || f.Column != 2 || *f.ByteOffset != 0) {
				t.Errorf("failure %+v", f)
			}
			before := w.ledger()
			for run := 1; run <= 3; run++ {
				got, err := w.db.Outcome(ctx, w.job, run)
				if (run == 2 || c.anyRun) != reflect.DeepEqual(got, want) || err != nil {
					t.Errorf("run %d has ended so: %+v, %v; want %+v", run, got, err, want)
				}
			}
			_, got, err := w.db.Open(ctx, postgres.Claim{JobID: w.job, Run: 2, Attempt: 4, Spec: events.Spec{Schema: "public"}})
			if !reflect.DeepEqual(got, want) || err != nil {
				t.Errorf("opened again: %+v, %v; want %+v", got, err, want)
			}
			if _, got, err := w.db.Open(ctx, w.claim(1)); c.anyRun != reflect.DeepEqual(got, want) || (err == nil) != c.anyRun {
				t.Errorf("opened as an older run: %+v, %v", got, err)
			}
			if after := w.ledger(); !reflect.DeepEqual(after, before) {
				t.Errorf("changed from\n%q to\n%q", before, after)
			}
			if _, got, err := w.db.Open(ctx, w.claim(3)); err != nil || c.anyRun != reflect.DeepEqual(got, want) {
				t.Errorf("opened as a newer run: %+v, %v", got, err)
			}
		})
	}
}

func TestNoOutcomeYet(t *testing.T) {
	w := newWorld(t)
	w.prepared(w.db)
	for _, job := range []string{w.job, uuid.NewString()} {
		if o, err := w.db.Outcome(testenv.Context(t), job, 1); o != nil || err != nil {
			t.Errorf("outcome %+v, %v", o, err)
		}
	}
}
