package postgres_test

import (
	"errors"
	"reflect"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func TestPublishingWithoutAnAnswerIsUncertain(t *testing.T) {
	for name, c := range map[string]struct {
		fault     fault
		committed bool
	}{
		"lost before it reached the server": {cutBeforeCommit, false},
		"answer lost":                       {cutAfterCommit, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			load := w.prepared(w.worker(url))
			w.commit(load, batch(0, 10, "a"))
			proxy.arm(c.fault)
			if _, err := load.Publish(testenv.Context(t), batch(10, 20, "b"), w.publication()); !errors.Is(err, postgres.ErrUncertain) {
				t.Fatalf("publishing: %v, want ErrUncertain", err)
			}
			again, outcome, err := w.db.Open(testenv.Context(t), w.claim(1))
			w.must(err)
			if (outcome != nil) != c.committed {
				t.Fatalf("outcome %+v, want one: %t", outcome, c.committed)
			}
			if outcome == nil {
				w.wantKept(again, "10-")
				outcome = w.publish(again, batch(10, 20, "b"))
			}
			if r := outcome.Result; outcome.State != events.StateSucceeded || r.Rows != 2 || r.Table != w.name {
				t.Errorf("outcome %+v", outcome)
			}
			w.wantTables(w.name)
			w.wantRows(w.name, "a", "b")
		})
	}
}

func TestBatchWithoutAnAnswerIsUncertain(t *testing.T) {
	for name, tt := range map[string]struct {
		fault fault
		kept  []string
	}{"lost": {fault: cutBeforeCommit}, "answer lost": {cutAfterCommit, []string{"10-"}}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			load := w.prepared(w.worker(url))
			proxy.arm(tt.fault)
			if err := load.Commit(testenv.Context(t), batch(0, 10, "a")); !errors.Is(err, postgres.ErrUncertain) {
				t.Fatalf("commit: %v, want ErrUncertain", err)
			}
			again := w.open(w.db, 1)
			w.wantKept(again, tt.kept...)
			if tt.kept == nil {
				w.must(again.Prepare(testenv.Context(t), postgres.File{Columns: columns("value")}))
				w.commit(again, batch(0, 10, "a"))
			}
			w.publish(again, batch(10, 20, "b"))
			w.wantRows(w.name, "a", "b")
		})
	}
}

func TestSettlingWithoutAnAnswerIsUncertain(t *testing.T) {
	for name, settle := range settlings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			load := w.prepared(w.worker(url))
			proxy.arm(cutAfterCommit)
			if _, err := settle(testenv.Context(t), load); !errors.Is(err, postgres.ErrUncertain) {
				t.Fatalf("%v, want ErrUncertain", err)
			}
			_, outcome, err := w.db.Open(testenv.Context(t), w.claim(1))
			w.must(err)
			if outcome == nil {
				t.Fatal("the outcome is not in the ledger")
			}
			w.wantNothingLeft()
		})
	}
}

func TestRefusedCommitIsCertain(t *testing.T) {
	w := newWorld(t)
	w.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$`)
	w.exec(`CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON sluice.batches DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION refuse()`)
	load := w.prepared(w.db)
	before := w.ledger()
	for name, do := range map[string]func() error{
		"commit": func() error { return load.Commit(testenv.Context(t), batch(0, 10, "a")) },
		"publish": func() error {
			_, err := load.Publish(testenv.Context(t), batch(0, 10, "a"), w.publication())
			return err
		},
	} {
		err := do()
		if errors.Is(err, postgres.ErrUncertain) {
			t.Errorf("%s: %v is uncertain", name, err)
		}
		wantFailure(t, err, events.CodeDatabaseError)
		if after := w.ledger(); !reflect.DeepEqual(after, before) {
			t.Errorf("%s changed\n%q to\n%q", name, before, after)
		}
	}
	w.exec("DROP TRIGGER refuse ON sluice.batches")
	w.publish(load, batch(0, 10, "a"))
	w.wantRows(w.name, "a")
}
