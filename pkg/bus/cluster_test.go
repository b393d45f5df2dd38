package bus_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestCluster holds what a replicated stream answers otherwise than one with a single copy.
func TestCluster(t *testing.T) {
	t.Parallel()
	all := testenv.StartCluster(t).Buses("api")
	t.Run("of many who are first at once, one is", func(t *testing.T) { oneIsFirst(t, all) })
	t.Run("what is told by many at once is told once", func(t *testing.T) { toldOnce(t, all) })
	t.Run("the history has no end too early", func(t *testing.T) { wholeHistory(t, all) })
	t.Run("what was written is read, wherever it is asked for", func(t *testing.T) { readsOwnWrites(t, all) })
	t.Run("uploads are read whole wherever they are", func(t *testing.T) { readsUploads(t, all) })
	t.Run("an upload is reserved or removed", func(t *testing.T) { reserveOrRemove(testenv.Context(t), t, all) })
}

// readsOwnWrites writes much at once, so that the copies are now and then behind each other.
func readsOwnWrites(t *testing.T, all [3]*bus.Bus) {
	ctx := testenv.Context(t)
	var writers sync.WaitGroup
	for writer := range 16 {
		writers.Go(func() {
			id, was := fmt.Sprint("job-", writer), bus.Register{}
			for n := range 200 {
				written, err := all[n%3].Registers.Replace(ctx, id, was, bus.Register{State: bus.Claimed, Run: 1, Claim: n})
				if err != nil {
					t.Error(err)
					return
				}
				was = written
				if read, err := all[(n+1)%3].Registers.Get(ctx, id); err != nil || read != written {
					t.Errorf("%s is %+v (%v), was written as %+v", id, read, err, written)
				}
			}
		})
	}
	writers.Wait()
}

func oneIsFirst(t *testing.T, all [3]*bus.Bus) {
	ctx := testenv.Context(t)
	created := events.New(jobID, events.Position{Run: 1}, noon, "api", events.Created{})
	errs := make([]error, 60)
	var rivals sync.WaitGroup
	for n := range errs {
		rivals.Go(func() {
			if _, errs[n] = all[n%3].Events.PublishFirst(ctx, created); errs[n] == nil {
				return
			}
			if _, _, found, err := all[n%3].Events.Last(ctx, jobID, events.TypeCreated); err != nil || !found {
				t.Errorf("someone else was first, but there is nothing: %v", err)
			}
		})
	}
	rivals.Wait()
	first := slices.Index(errs, nil)
	for n, err := range errs {
		if n != first && !errors.Is(err, bus.ErrConflict) {
			t.Errorf("rival %d: %v", n, err)
		}
	}
	if first < 0 {
		t.Error("none was first")
	}
}

func toldOnce(t *testing.T, all [3]*bus.Bus) {
	ctx := testenv.Context(t)
	queued := events.New(jobID, events.Position{Run: 1}, noon, "api", events.Queued{})
	var jobs, told [60]uint64
	var rivals sync.WaitGroup
	for n := range jobs {
		rivals.Go(func() {
			var err error
			if jobs[n], err = all[n%3].Jobs.Publish(ctx, newJob(1)); err != nil {
				t.Error(err)
			}
			if told[n], err = all[n%3].Events.Publish(ctx, queued); err != nil {
				t.Error(err)
			}
		})
	}
	rivals.Wait()
	if slices.Min(jobs[:]) != slices.Max(jobs[:]) || slices.Min(told[:]) != slices.Max(told[:]) {
		t.Errorf("the job is at %v, the event at %v", jobs, told)
	}
	if _, err := all[0].Jobs.Publish(ctx, newJob(2)); !errors.Is(err, bus.ErrOtherRun) {
		t.Errorf("another run: %v", err)
	}
}

func wholeHistory(t *testing.T, all [3]*bus.Bus) {
	ctx := testenv.Context(t)
	var writers sync.WaitGroup
	for writer := range 8 {
		writers.Go(func() {
			id := fmt.Sprint("long-", writer)
			for n := range 40 {
				e := events.New(id, events.Position{Run: n}, noon, "api", events.Queued{})
				sequence, err := all[n%3].Events.Publish(ctx, e)
				if err != nil {
					t.Error(err)
					return
				}
				if history := sequences(ctx, t, all[(n+1)%3], events.JobEventSubjects(id), 1); !slices.Contains(history, sequence) {
					t.Errorf("the history of %s ends before %d: %v", id, sequence, history)
				}
			}
		})
	}
	writers.Wait()
	told := 0
	for _, err := range all[1].Events.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		told++
	}
	if want := stored(ctx, t, all[0], bus.EventsStream); uint64(told) != want {
		t.Errorf("%d events are read, %d are there", told, want)
	}
}

func readsUploads(t *testing.T, all [3]*bus.Bus) {
	ctx := testenv.Context(t)
	// A server that expects the sequence of a subject for the first time makes a table for that which it looks at without a lock
	// when it stores something else: not in the middle of an upload.
	if err := all[0].Uploads.Clear(ctx, bus.Remains{ID: uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			for n := range 4 {
				u, err := all[n%3].Uploads.Put(ctx, "a.csv", "", &numbers{size: int64(5*n+client)*chunk + 1})
				if err != nil {
					t.Error(err)
					return
				}
				content(ctx, t, all[(n+1)%3].Uploads, u)
				now, err := all[(n+2)%3].Uploads.Info(ctx, u.ID)
				if err == nil {
					err = all[(n+2)%3].Uploads.Remove(ctx, now)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	stock, err := all[0].Uploads.All(ctx)
	if err != nil || len(stock.Uploads) != 0 {
		t.Errorf("there are %+v (%v)", stock.Uploads, err)
	}
	for _, r := range stock.Remains {
		if r.Chunks != 0 {
			t.Errorf("there remains %+v", r)
		}
	}
}
