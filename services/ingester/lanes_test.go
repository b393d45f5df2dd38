package ingester_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

// order returns the jobs in the order in which they were started.
func (e *env) order() []string {
	e.t.Helper()
	stream, err := e.js.Stream(e.ctx, bus.EventsStream)
	if err != nil {
		e.t.Fatal(err)
	}
	var ids []string
	for s := uint64(1); s <= stream.CachedInfo().State.LastSeq; s++ {
		msg, err := stream.GetMsg(e.ctx, s)
		if err != nil {
			continue // thinned
		}
		if event, err := events.Decode(msg.Data); err == nil && event.Type == events.TypeStarted {
			ids = append(ids, event.JobID)
		}
	}
	return ids
}

// TestOrder holds that urgent jobs come first, that one in five is a normal one all the same, and that jobs of one
// priority come in the order in which they were queued.
func TestOrder(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url := missing(t)
	var normal, urgent, want []string
	for range 3 {
		normal = append(normal, e.submit(newJob(url)).ID)
	}
	for range 10 {
		urgent = append(urgent, e.submit(newJob(url, urgently)).ID)
	}
	want = append(want, urgent[:4]...)
	want = append(want, normal[0])
	want = append(want, urgent[4:8]...)
	want = append(want, normal[1])
	want = append(want, urgent[8:]...)
	want = append(want, normal[2])
	e.start("w1")
	e.awaitOff()
	if got := e.order(); !slices.Equal(got, want) {
		t.Errorf("started %v, want %v", got, want)
	}
}

// TestUrgentJobsDoNotWaitForMissingNormalOnes holds that the share of the normal lane is not kept free.
func TestUrgentJobsDoNotWaitForMissingNormalOnes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url := missing(t)
	var urgent []string
	for range 6 {
		urgent = append(urgent, e.submit(newJob(url, urgently)).ID)
	}
	e.start("w1")
	e.awaitOff()
	if got := e.order(); !slices.Equal(got, urgent) {
		t.Errorf("started %v, want %v", got, urgent)
	}
}

// TestFreeWorkerTakesAJobAtOnce measures from when a job is stored until a free worker claims it. Without the bell nearly
// every one would wait out the poll of a second, and with one that rings too early some would. It is not parallel.
func TestFreeWorkerTakesAJobAtOnce(t *testing.T) {
	const promised, never = 50 * time.Millisecond, 500 * time.Millisecond
	e := newEnv(t)
	e.start("w1")
	url := missing(t)
	var waits []time.Duration
	for range 40 {
		job := newJob(url)
		claimed, err := e.bus.Conn.SubscribeSync("$KV." + bus.ControlBucket + "." + job.ID)
		if err != nil {
			t.Fatal(err)
		}
		sequence, err := e.bus.Jobs.Publish(e.ctx, job)
		if err != nil {
			t.Fatal(err)
		}
		stored := time.Now()
		e.report(job, events.Position{}, events.Queued{Sequence: sequence})
		if _, err := claimed.NextMsgWithContext(e.ctx); err != nil {
			t.Fatal(err)
		}
		waits = append(waits, time.Since(stored))
		e.awaitOff()
	}
	slices.Sort(waits)
	median, longest := waits[len(waits)/2], waits[len(waits)-1]
	t.Logf("the median of the waits is %s, the longest %s", median, longest)
	if median > promised || longest > never {
		t.Errorf("the median of the waits is %s, the longest %s", median, longest)
	}
}

// TestJobWithoutABellIsFound holds that a job is loaded whose creator was killed before it reported it to be queued.
func TestJobWithoutABellIsFound(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	url, rows := served(t)
	job := newJob(url)
	e.queueAgain(job)
	e.awaitEnd(job, events.StateSucceeded, rows)
}

// TestBusyWorkerLeavesJobsToOthers holds that a worker takes no more jobs than it has slots.
func TestBusyWorkerLeavesJobsToOthers(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := holding(t, 2)
	e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.Slots = 2 })
	for range 2 {
		e.awaitBatches(e.submit(newJob(file.url)))
	}
	url, rows := served(t)
	third := e.submit(newJob(url))
	lane, err := e.bus.Jobs.Lane(e.ctx, events.Normal)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(e.ctx, t, "the third to wait", func() error {
		info, err := lane.Info(e.ctx)
		if err == nil && (info.NumAckPending != 2 || info.NumPending != 1) {
			err = fmt.Errorf("%d messages are with workers, %d wait", info.NumAckPending, info.NumPending)
		}
		return err
	})
	e.start("w2")
	if end := e.await(third, events.TypeSucceeded); end.By != "ingester/w2" {
		t.Errorf("loaded by %s", end.By)
	}
	e.expectRows(third, rows)
	file.release()
	e.awaitOff()
	e.expectTables(3)
}

// TestMoreJobsThanWorkers holds that each of many jobs is loaded once by one of several workers.
func TestMoreJobsThanWorkers(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	url, rows := served(t)
	for _, name := range []string{"w1", "w2"} {
		e.start(name, func(c *ingester.Config, _ *ingester.Parts) { c.Slots = 2 })
	}
	var jobs []events.Job
	for range 12 {
		jobs = append(jobs, e.submit(newJob(url)))
	}
	e.awaitOff()
	for _, job := range jobs {
		e.expectHistory(job, "started succeeded")
		e.expectRows(job, rows)
	}
	e.expectTables(len(jobs))
}

func TestConfigWithoutAWorkerIsRefused(t *testing.T) {
	c := ingester.DefaultConfig("w1")
	if _, err := ingester.New(c, ingester.Parts{}); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	c.Worker = ""
	if _, err := ingester.New(c, ingester.Parts{}); err == nil {
		t.Error("a worker without a name is taken")
	}
}
