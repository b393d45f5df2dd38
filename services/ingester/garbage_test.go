package ingester_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

// put writes anything to a subject of the queue.
func (e *env) put(subject, data string) {
	e.t.Helper()
	if _, err := e.js.Publish(e.ctx, subject, []byte(data)); err != nil {
		e.t.Fatal(err)
	}
}

func encode(t testing.TB, job events.Job) string {
	t.Helper()
	data, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestGarbageLeavesTheQueue holds that what can never be a job is taken off, and that jobs behind it are loaded.
func TestGarbageLeavesTheQueue(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	id := func(spelling string) string {
		job := newJob(url)
		job.ID = spelling
		return encode(t, job)
	}
	other := strings.ToUpper(uuid.NewString())
	e.put("jobs.normal.a", "this is not JSON")
	e.put("jobs.normal.b", `{"v": 1}`)
	e.put("jobs.normal.c", id(uuid.NewString()))
	e.put("jobs.urgent.d", id("d"))
	e.put("jobs.normal.e", id("e"))
	e.put("jobs.normal."+other, id(other))
	e.start("w1")
	job := e.submit(newJob(url))
	e.awaitEnd(job, events.StateSucceeded, rows)
}

// TestJobOfALaterVersionWaits holds that a job that this worker cannot read stays on the queue, for a later worker.
func TestJobOfALaterVersionWaits(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	later := newJob(url)
	later.V = events.Version + 1
	e.submit(later)
	e.start("w1")
	job := e.submit(newJob(url))
	e.await(job, events.TypeSucceeded)
	e.expectDataset(job, rows)
	lane, err := e.bus.Jobs.Lane(e.ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(e.ctx, t, "one message that is left", func() error {
		info, err := lane.Info(e.ctx)
		if err == nil && info.NumAckPending != 1 {
			err = fmt.Errorf("%d left", info.NumAckPending)
		}
		return err
	})
	e.expectHistory(later, "")
}

// TestPanicFailsOneJob takes the source away from a worker, so that each load panics.
func TestPanicFailsOneJob(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	w := e.start("w1", func(_ *ingester.Config, p *ingester.Parts) { p.Source = nil })
	for range 2 { // the worker goes on
		f := failure(e.awaitEnd(e.submit(newJob(url)), events.StateFailed, 0))
		if f.Code != events.CodeInternal || strings.Contains(f.Message, "nil") {
			t.Errorf("failed with %+v", f)
		}
	}
	e.end(w)
	e.start("w2")
	e.awaitEnd(e.submit(newJob(url)), events.StateSucceeded, rows)
}
