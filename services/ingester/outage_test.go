package ingester_test

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// stopNATS stops the server and waits until the test's own connection knows.
func (e *env) stopNATS() {
	e.t.Helper()
	lost := e.bus.Conn.StatusChanged(nats.RECONNECTING)
	e.nats.Stop()
	select {
	case <-lost:
	case <-e.ctx.Done():
		e.t.Fatal("the connection is not lost")
	}
}

// startNATS starts the server again and waits for the test's own connection.
func (e *env) startNATS() {
	e.t.Helper()
	e.nats.Start()
	testenv.Eventually(e.ctx, e.t, "reconnecting", func() error {
		if !e.bus.Conn.IsConnected() {
			return errors.New("not connected")
		}
		return nil
	})
}

// TestOutageOfNATS holds that a job that is under way succeeds once, be NATS back before it ends or after.
func TestOutageOfNATS(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"back before the commit": true, "back after the commit": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			file := holding(t, 1)
			e.start("w1")
			e.start("w2")
			job := e.submit(newJob(file.url))
			e.awaitBatches(job)
			e.stopNATS()
			if back {
				e.startNATS()
				file.release()
			} else {
				file.release()
				e.awaitCommitted(job)
				e.startNATS()
			}
			e.awaitEnd(job, events.StateSucceeded, file.rows)
			if file.asked() > 2 {
				t.Errorf("the file was asked for %d times", file.asked())
			}
		})
	}
}

func (e *env) awaitCommitted(job events.Job) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "the commit", func() error {
		o, err := e.db.Outcome(e.ctx, job.ID, job.Run)
		if err == nil && o == nil {
			err = errors.New("not committed")
		}
		return err
	})
}
