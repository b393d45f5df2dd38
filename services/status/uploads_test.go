package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// holder is what is known of a job that an upload is reserved for.
type holder struct {
	index    []events.Payload // as far as the index knows; nothing of it if there is none
	history  []events.Payload // what the history has besides
	another  bool             // its file is another one
	finished time.Duration    // when the last of its events happened, from now on
}

func TestUploadsAreKeptAsLongAsTheyAreNeeded(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	created, started := events.Created{}, events.Started{}
	queued := holder{index: []events.Payload{created}}
	running := holder{index: []events.Payload{created, started}}
	succeeded := holder{index: []events.Payload{created, started, events.Succeeded{}}}
	failed := holder{index: []events.Payload{created, started, events.Failed{}}}
	again := holder{index: failed.index, history: []events.Payload{events.Redriven{}}}
	for name, tt := range map[string]struct {
		jobs  []holder
		after time.Duration
		kept  bool
	}{
		"of no job":                     {nil, 23 * time.Hour, true},
		"of no job, old":                {nil, 25 * time.Hour, false},
		"about to be accepted":          {[]holder{{}}, 59 * time.Minute, true},
		"not accepted":                  {[]holder{{}}, 2 * time.Hour, true},
		"not accepted, old":             {[]holder{{}}, 25 * time.Hour, false},
		"accepted, index behind":        {[]holder{{history: []events.Payload{created}}}, 1000 * time.Hour, true},
		"begun, creation forgotten":     {[]holder{{history: []events.Payload{started}}}, 1000 * time.Hour, true},
		"queued":                        {[]holder{queued}, 1000 * time.Hour, true},
		"running":                       {[]holder{running}, 1000 * time.Hour, true},
		"loaded a moment ago":           {[]holder{succeeded}, 59 * time.Minute, true},
		"loaded":                        {[]holder{succeeded}, 61 * time.Minute, false},
		"loaded, and queued":            {[]holder{succeeded, queued}, 1000 * time.Hour, true},
		"queued, and loaded":            {[]holder{queued, succeeded}, 1000 * time.Hour, true},
		"loaded, accepted again":        {[]holder{succeeded, {history: []events.Payload{created}}}, 1000 * time.Hour, true},
		"loaded, not accepted again":    {[]holder{succeeded, {}}, 61 * time.Minute, false},
		"loaded, and failed":            {[]holder{succeeded, failed}, 61 * time.Minute, false},
		"loaded, and run again":         {[]holder{succeeded, again}, 1000 * time.Hour, true},
		"failed":                        {[]holder{failed}, 23 * time.Hour, true},
		"failed, old":                   {[]holder{failed}, 25 * time.Hour, false},
		"failed later":                  {[]holder{{index: failed.index, finished: 10 * time.Hour}, failed}, 33 * time.Hour, true},
		"failed later, old":             {[]holder{{index: failed.index, finished: 10 * time.Hour}, failed}, 35 * time.Hour, false},
		"failed, run again":             {[]holder{again}, 1000 * time.Hour, true},
		"cancelled, old":                {[]holder{{index: []events.Payload{created, events.Cancelled{}}}}, 25 * time.Hour, false},
		"another's was loaded":          {[]holder{{index: succeeded.index, another: true}}, 2 * time.Hour, true},
		"another's is running, and old": {[]holder{{index: running.index, another: true}}, 25 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			u, x := upload(ctx, t, b, "a\n1\n"), newIndex(time.Now)
			for i, job := range tt.jobs {
				id := fmt.Sprintf("%x-%d", name, i)
				reserve(ctx, t, b, u, id)
				tell(ctx, t, b, x, u, id, job)
			}
			if err := sweeperIn(t, b, x, tt.after).pass(ctx); err != nil {
				t.Fatal(err)
			}
			_, err := b.Uploads.Info(ctx, u.ID)
			if kept := err == nil; kept != tt.kept || err != nil && !errors.Is(err, bus.ErrUploadNotFound) {
				t.Errorf("it is kept: %t (%v)", kept, err)
			}
		})
	}
}

// sweeperIn is a sweeper in so much time, by all clocks.
func sweeperIn(t testing.TB, b *bus.Bus, x *index, after time.Duration) *uploadSweeper {
	t.Helper()
	s := newUploadSweeper(Config{Uploads: DefaultUploadRules(), Log: testenv.Log(t)}, b, x)
	s.now = func() time.Time { return time.Now().Add(after) }
	s.stock = func(ctx context.Context) (bus.Stock, error) {
		stock, err := b.Uploads.All(ctx)
		stock.At = stock.At.Add(after)
		return stock, err
	}
	return s
}

// tell makes index and history know of a job.
func tell(ctx context.Context, t testing.TB, b *bus.Bus, x *index, u bus.Upload, id string, job holder) {
	t.Helper()
	spec := newSpec(events.Normal)
	spec.Source.URL = events.UploadScheme + u.ID
	if job.another {
		spec.Source.URL += "0"
	}
	var d Document
	for i, p := range job.index {
		d = fold(d, eventOf(id, 1, i, time.Now().Add(job.finished), p, spec), uint64(i+1))
	}
	if len(job.index) > 0 {
		x.put(id, d)
	}
	for i, p := range job.history {
		publish(ctx, t, b, eventOf(id, 1+len(job.index)/2, i, time.Now(), p, spec))
	}
}

func eventOf(id string, run, seq int, at time.Time, p events.Payload, spec events.Spec) events.Event {
	position := events.Position{Run: run, Claim: 1, Seq: seq}
	switch p.(type) {
	case events.Created:
		p, position = events.Created{Spec: spec}, events.Position{Run: run}
	case events.Started:
		p = events.Started{Spec: spec}
	}
	return events.New(id, position, at, "test", p)
}

func upload(ctx context.Context, t testing.TB, b *bus.Bus, text string) bus.Upload {
	t.Helper()
	u, err := b.Uploads.Put(ctx, "a.csv", "text/csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func reserve(ctx context.Context, t testing.TB, b *bus.Bus, u bus.Upload, jobID string) {
	t.Helper()
	if err := b.Uploads.Reserve(ctx, u.ID, jobID, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// TestRemainsOfUploadsAreCleared holds when what was not completed is cleared away, and the mark of it.
func TestRemainsOfUploadsAreCleared(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("status")
	body, writing := io.Pipe()
	putting := make(chan error, 1)
	go func() { _, err := b.Uploads.Put(ctx, "a.csv", "", body); putting <- err }()
	if _, err := writing.Write(make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "some of it is stored", func() error { return remaining(ctx, b, 1, 4) })
	for _, step := range []struct {
		after         time.Duration
		marks, chunks int
	}{
		{59 * time.Minute, 1, 4}, {61 * time.Minute, 1, 0}, {23 * time.Hour, 1, 0}, {25 * time.Hour, 0, 0},
	} {
		if err := sweeperIn(t, b, newIndex(time.Now), step.after).pass(ctx); err != nil {
			t.Fatal(err)
		}
		if err := remaining(ctx, b, step.marks, step.chunks); err != nil {
			t.Errorf("after %s: %v", step.after, err)
		}
	}
	_ = writing.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-putting; err == nil {
		t.Error("it was completed")
	}
}

// remaining fails unless so much remains of uploads.
func remaining(ctx context.Context, b *bus.Bus, uploads, chunks int) error {
	stock, err := b.Uploads.All(ctx)
	if err != nil {
		return err
	}
	got := 0
	for _, r := range stock.Remains {
		got += r.Chunks
	}
	if len(stock.Remains) != uploads || got != chunks {
		return fmt.Errorf("there remain %+v, want %d with %d chunks", stock.Remains, uploads, chunks)
	}
	return nil
}

// TestSweepersAtOnce holds that replicas sweep beside each other, and beside jobs that are accepted meanwhile, whose files they
// leave alone.
func TestSweepersAtOnce(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	const many = 60
	all, b := [2]*bus.Bus{n.Bus("status-a"), n.Bus("status-b")}, n.Bus("api")
	var uploads []bus.Upload
	for range many {
		uploads = append(uploads, upload(ctx, t, b, "a\n1\n"))
	}
	rules := UploadRules{Every: time.Hour, Age: time.Millisecond, Margin: time.Second}
	<-time.After(rules.Margin)

	var actors sync.WaitGroup
	for _, status := range all {
		actors.Go(func() {
			s := newUploadSweeper(Config{Uploads: rules, Log: testenv.Log(t)}, status, newIndex(time.Now))
			if err := s.pass(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	accepted := make([]bool, many)
	actors.Go(func() {
		for i := many - 1; i >= 0; i-- { // in another order than they are swept
			id := fmt.Sprint("job-", i)
			err := b.Uploads.Reserve(ctx, uploads[i].ID, id, time.Time{})
			if errors.Is(err, bus.ErrUploadNotFound) {
				continue
			}
			if err == nil {
				_, err = b.Events.PublishFirst(ctx, events.New(id, events.Position{Run: 1}, noon, "api", events.Created{}))
			}
			if err != nil {
				t.Error(err)
			}
			accepted[i] = true
		}
	})
	actors.Wait()
	kept := 0
	for i, u := range uploads {
		_, err := b.Uploads.Info(ctx, u.ID)
		if there := err == nil; there != accepted[i] {
			t.Errorf("the file of an accepted job (%t) is there (%t): %v", accepted[i], there, err)
		}
		if accepted[i] {
			kept++
		}
	}
	t.Logf("%d of %d were accepted", kept, many)
}

// TestUploadIsKeptForTheNextRun holds that a job that is run again finds its file, and that one whose file is gone is run
// again all the same.
func TestUploadIsKeptForTheNextRun(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	start(ctx, t, n.Bus("status"), time.Hour)
	for _, gone := range []bool{false, true} {
		id := fmt.Sprint("job-", gone)
		u := upload(ctx, t, b, "a\n1\n")
		spec := newSpec(events.Normal)
		spec.Source.URL = events.UploadScheme + u.ID
		reserve(ctx, t, b, u, id)
		publish(ctx, t, b, eventOf(id, 1, 0, noon, events.Created{}, spec))
		sequence := publish(ctx, t, b, eventOf(id, 1, 1, noon, events.Failed{}, spec))
		get(ctx, t, b, sequence, id)
		before, err := b.Uploads.Info(ctx, u.ID)
		if err == nil && gone {
			err = b.Uploads.Remove(ctx, before)
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, code := ask[events.Status](ctx, t, b, events.SubjectStatusRetry, events.Retry{ID: id}); code != "" || s.Run != 2 {
			t.Fatalf("retried it is %+v (%s)", s, code)
		}
		if gone {
			continue
		}
		if err := b.Uploads.Remove(ctx, before); !errors.Is(err, bus.ErrConflict) {
			t.Errorf("removing it as it was before: %v", err)
		}
	}
}

// TestServiceSweepsUploads holds that a replica sweeps by itself.
func TestServiceSweepsUploads(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("test")
	u := upload(ctx, t, b, "a\n1\n")
	startWith(ctx, t, n.Bus("status"), Config{
		RepairAfter: time.Hour, QuietAfter: time.Hour, Retention: bus.EventsMaxAge,
		Uploads: UploadRules{Every: 20 * time.Millisecond, Age: 10 * time.Millisecond, Margin: 10 * time.Millisecond},
	})
	testenv.Eventually(ctx, t, "it is removed, and its mark too", func() error {
		_, err := b.Uploads.Info(ctx, u.ID)
		if !errors.Is(err, bus.ErrUploadNotFound) {
			return errors.Join(err, errors.New("it is there"))
		}
		return remaining(ctx, b, 0, 0)
	})
}
