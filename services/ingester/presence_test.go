package ingester_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

// workers asks all of them, until check is content with their answers by their names.
func (e *env) workers(what string, check func(map[string]events.Worker) bool) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, what, func() error {
		list, err := bus.Gather[events.Worker](e.ctx, e.bus.Conn, events.SubjectIngesterWorkers, events.Workers{},
			bus.Gathering{Time: 5 * time.Second, Silence: 100 * time.Millisecond, Most: 10})
		if err != nil {
			return err
		}
		byName := map[string]events.Worker{}
		for _, w := range list {
			byName[w.Name] = w
		}
		if len(byName) != len(list) || !check(byName) {
			return fmt.Errorf("they are %+v", list)
		}
		return nil
	})
}

// TestWorkersTellWhatTheyDo holds that each worker answers for itself.
func TestWorkersTellWhatTheyDo(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 1)
	began := time.Now().Add(-time.Second)
	first := e.start("w1")
	job := e.submit(newJob(file.url))
	e.awaitBatches(job)
	e.start("w2", func(c *ingester.Config, _ *ingester.Parts) { c.Slots = 3 })
	e.workers("both answer", func(w map[string]events.Worker) bool {
		one, two := w["w1"], w["w2"]
		return len(w) == 2 && len(one.Jobs) == 1 && one.Jobs[0] == job.ID && one.Slots == 1 && !one.Draining &&
			one.StartedAt.After(began) && one.Version != "" && two.Slots == 3 && two.Jobs != nil && len(two.Jobs) == 0
	})
	e.end(first)
	e.workers("the second one is alone", func(w map[string]events.Worker) bool { return len(w) == 1 && w["w2"].Name == "w2" })
	file.release()
}
