package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// writeUntilFailure writes batches until one of the writes fails.
func (c *writer) writeUntilFailure(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := c.write("a"); err != nil {
			return err
		}
		c.Cut()
	}
	return errors.New("no write fails")
}

// A batch that fails ends those beside it, whatever the writer waits for meanwhile, and is what it hears of.
func TestFailingBatchEndsAll(t *testing.T) {
	for name, connections := range map[string]int{"writer waits for a slot": 2, "writer waits for a connection": 3} {
		for _, publishing := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s publishing %t", name, publishing), func(t *testing.T) {
				w := newWorld(t)
				db, err := postgres.Connect(testenv.Context(t), w.url, 2)
				w.must(err)
				t.Cleanup(db.Close)
				load := w.prepared(db)
				w.gates()
				first, second := w.shut(1), w.shut(2)
				c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: connections, BatchBytes: 1 << 20})
				c.batch("held 1", "refused")
				c.batch("held 2")
				w.awaitHeld(2)
				ended := make(chan error, 1)
				go func() {
					if publishing {
						_, err := c.publish()
						ended <- err
						return
					}
					ended <- c.writeUntilFailure(testenv.Context(t))
				}()
				first()
				err = <-ended
				if f := wantFailure(t, err, events.CodeDatabaseError); !strings.Contains(f.Message, "from line 1 on") {
					t.Errorf("it says %q", f.Message)
				}
				for range 20 { // each may go either way
					c.Cut()
					wantFailure(t, c.write("late"), events.CodeDatabaseError)
				}
				_, err = c.publish()
				wantFailure(t, err, events.CodeDatabaseError)
				c.Close()
				second() // a backend that waits for a lock does not see that its client has gone
				w.awaitNoBackends()
				w.batchesAre()
				_, err = load.Fail(testenv.Context(t), *events.Failf(events.CodeDatabaseError, "no"), events.Figures{}, time.Now())
				w.must(err)
				w.wantNothingLeft()
			})
		}
	}
}

func TestContextEndsBatches(t *testing.T) {
	errWhy := errors.New("this is why")
	for name, publishing := range map[string]bool{"writing": false, "publishing": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			w.gates()
			open := w.shut(1)
			ctx, cancel := context.WithCancelCause(testenv.Context(t))
			c := w.writer(ctx, load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
			for range 2 {
				c.batch("held 1")
			}
			c.must(c.write("held 1"))
			w.awaitHeld(3)
			ended := make(chan error, 1)
			go func() {
				if publishing {
					_, err := c.publish()
					ended <- err
					return
				}
				ended <- c.writeUntilFailure(testenv.Context(t))
			}()
			cancel(errWhy)
			if err := <-ended; !errors.Is(err, errWhy) {
				t.Errorf("it fails with %v", err)
			}
			if _, err := c.publish(); !errors.Is(err, errWhy) {
				t.Errorf("publishing fails with %v", err)
			}
			c.Close()
			open()
			w.awaitNoBackends()
			w.batchesAre()
		})
	}
}

func TestCloseEndsBatches(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	open := w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
	c.batch("held 1")
	c.must(c.write("held 1"))
	w.awaitHeld(2)
	c.Close()
	open()
	w.awaitNoBackends()
	c.Close()
	if err := c.writeUntilFailure(testenv.Context(t)); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("writing to what is closed: %v", err)
	}
	w.batchesAre()
	c = w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 1, BatchBytes: 1})
	c.batch("a")
	c.wantPublished(1)
}

func TestFenceIsLostBetweenBatches(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.prepared(w.db), postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
	c.batch("a")
	w.waitFor("the batch is committed", "SELECT FROM sluice.batches")
	second := w.open(w.worker(w.url), 1)
	w.wantFenceLost("writing", c.writeUntilFailure(testenv.Context(t)))
	_, err := c.publish()
	w.wantFenceLost("publishing", err)
	c.Close()
	w.wantKept(second, "10-")
}

// Whoever takes the job over ends the backends of batches that are under way.
func TestFenceIsLostInABatch(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.gates()
	w.shut(1)
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 3, BatchBytes: 1 << 20})
	c.batch("held 1")
	c.must(c.write("held 1"))
	w.awaitHeld(2)
	w.open(w.worker(w.url), 1)
	if err := c.writeUntilFailure(testenv.Context(t)); !errors.Is(err, postgres.ErrFenceLost) {
		wantFailure(t, err, events.CodeDatabaseUnavailable)
	}
	c.Close()
	w.awaitNoBackends()
	w.wantNothingLeft()
}

func TestConnectionIsLostInABatch(t *testing.T) {
	for name, fault := range map[string]fault{"in COPY": {statement: "COPY "}, "in COMMIT": cutBeforeCommit} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			proxy, url := throughProxy(t, w.url)
			load := w.prepared(w.worker(url))
			w.gates()
			open := w.shut(1)
			c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 2, BatchBytes: 1 << 20})
			c.batch("held 1")
			w.awaitHeld(1)
			proxy.arm(fault)
			err := c.writeUntilFailure(testenv.Context(t))
			if fault == cutBeforeCommit {
				if !errors.Is(err, postgres.ErrUncertain) {
					t.Errorf("%v, want ErrUncertain", err)
				}
			} else {
				wantFailure(t, err, events.CodeDatabaseUnavailable)
			}
			c.Close()
			open()
			w.awaitNoBackends()
			w.batchesAre()
		})
	}
}
