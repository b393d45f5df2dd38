package status

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/pkg/events"
)

// TestIndexIsAPlainList compares the index with a plain list of the jobs, whatever happens to them.
func TestIndexIsAPlainList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, plain := newIndex(func() time.Time { return noon }), map[string]Document{}
		for range rapid.IntRange(1, 25).Draw(t, "changes") {
			id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "job")
			if rapid.IntRange(0, 4).Draw(t, "remove") == 0 {
				x.remove(id)
				delete(plain, id)
				continue
			}
			d := drawDocument(t, id)
			x.put(id, d)
			if d.known() {
				plain[id] = d
			}
		}
		question := events.List{Filter: drawFilter(t), State: rapid.SampledFrom(append(events.States(), "")).Draw(t, "state")}
		wanted := plainList(plain, question.Filter)
		checkTotals(t, x.count(question.Filter), wanted)
		checkWaiting(t, x, plainList(plain, events.Filter{}))
		wanted = slices.DeleteFunc(wanted, func(s events.Status) bool { return question.State != "" && s.State != question.State })
		checkPages(t, x, question, wanted, rapid.IntRange(1, 4).Draw(t, "limit"))
	})
}

func drawFilter(t *rapid.T) events.Filter {
	at := rapid.SampledFrom([]time.Time{
		{}, noon.Add(-time.Second), noon, noon.Add(time.Microsecond), noon.Add(time.Second), noon.Add(2 * time.Second), noon.Add(time.Hour),
	})
	return events.Filter{
		Priority:     rapid.SampledFrom(append(events.Priorities(), "")).Draw(t, "of priority"),
		Table:        rapid.SampledFrom([]string{"", "t1", "t2"}).Draw(t, "of table"),
		Source:       rapid.SampledFrom([]string{"", "http://h/1", "http://h/2"}).Draw(t, "of source"),
		CreatedAfter: at.Draw(t, "created after"), CreatedBefore: at.Draw(t, "created before"),
	}
}

// checkTotals compares totals with the jobs that they are to count.
func checkTotals(t *rapid.T, got map[events.State]int, jobs []events.Status) {
	for _, state := range events.States() {
		want := 0
		for _, s := range jobs {
			if s.State == state {
				want++
			}
		}
		if got[state] != want {
			t.Fatalf("counts %d %s jobs, want %d", got[state], state, want)
		}
	}
}

// checkWaiting compares what is said to be under way with the jobs that there are.
func checkWaiting(t *rapid.T, x *index, jobs []events.Status) {
	for _, submitter := range []string{"", "s1", "s2"} {
		want := events.Lanes{Queued: map[events.Priority]int{}, Totals: map[events.State]int{}}
		for _, s := range jobs {
			if s.State.Terminal() || submitter != "" && s.Spec.Submitter != submitter {
				continue
			}
			want.Totals[s.State]++
			if s.State == events.StateQueued {
				want.Queued[s.Spec.Priority]++
			}
		}
		if got := x.waiting(submitter); !reflect.DeepEqual(got, want) {
			t.Fatalf("of %q there are %+v, want %+v", submitter, got, want)
		}
	}
}

// drawDocument makes any document of a job, whatever the one before said.
func drawDocument(t *rapid.T, id string) Document {
	spec := newSpec(rapid.SampledFrom(events.Priorities()).Draw(t, "priority"))
	spec.CreatedAt = noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "created")) * time.Second)
	spec.Table = rapid.SampledFrom([]string{"", "t1", "t2"}).Draw(t, "table")
	spec.Source.URL = rapid.SampledFrom([]string{"http://h/1", "http://h/2"}).Draw(t, "source")
	spec.Submitter = rapid.SampledFrom([]string{"", "s1", "s2"}).Draw(t, "submitter")
	run := rapid.IntRange(1, 2).Draw(t, "run")
	place := uint64(rapid.IntRange(0, 4).Draw(t, "place")*8) + uint64(id[0]-'a') // no two jobs have the same
	var d Document
	for _, data := range rapid.SliceOfDistinct(rapid.SampledFrom([]events.Payload{
		events.Created{Spec: spec}, events.Queued{Sequence: place}, events.Started{Spec: spec}, events.Failed{},
	}), events.Payload.Type).Draw(t, "events") {
		e := events.New(id, events.Position{Run: run, Claim: 1}, noon, "test", data)
		if data.Type() == events.TypeQueued {
			e.Run = rapid.IntRange(1, run).Draw(t, "queued run")
		}
		d = fold(d, e, 1)
	}
	return d
}

// plainList is what the index should list, the newest first.
func plainList(jobs map[string]Document, f events.Filter) (list []events.Status) {
	ahead := func(d Document) int {
		n := 0
		for _, other := range jobs {
			mine, theirs := d.spec().Priority, other.spec().Priority
			if waits(other) && (mine == theirs && spot(other) < spot(d) || mine == events.Normal && theirs == events.Urgent) {
				n++
			}
		}
		return n
	}
	for _, d := range jobs {
		s := d.view()
		s.Result = nil
		if waits(d) {
			s.QueuePosition = ahead(d) + 1
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b events.Status) int {
		return cmp.Or(b.Spec.CreatedAt.Compare(a.Spec.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return slices.DeleteFunc(list, func(s events.Status) bool {
		return f.Priority != "" && s.Spec.Priority != f.Priority || f.Table != "" && s.Table != f.Table ||
			f.Source != "" && s.Spec.Source.URL != f.Source || s.Spec.CreatedAt.Before(f.CreatedAfter) ||
			!f.CreatedBefore.IsZero() && !s.Spec.CreatedAt.Before(f.CreatedBefore)
	})
}

// waits says whether the run's message waits for a worker: it is known to be queued, and nothing came of it yet.
func waits(d Document) bool {
	if d.State != events.StateQueued || d.Queued == nil || d.Queued.Run != d.Head.Run {
		return false
	}
	return spot(d) > 0
}

func spot(d Document) uint64 { return d.Queued.Data.(events.Queued).Sequence }

// checkPages reads all pages of what is asked for.
func checkPages(t *rapid.T, x *index, question events.List, want []events.Status, limit int) {
	var got []events.Status
	for more := true; more; {
		var page []events.Status
		page, more = x.list(question, limit)
		if len(page) > limit || more && len(page) == 0 {
			t.Fatalf("a page of %d jobs, more: %t", len(page), more)
		}
		for _, s := range page {
			if got := x.position(s.ID); got != s.QueuePosition {
				t.Fatalf("job %s is at %d in the list, at %d alone", s.ID, s.QueuePosition, got)
			}
			cursor := cursorOf(s)
			got, question.After = append(got, s), &cursor
		}
	}
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("lists\n%+v\nwant\n%+v", got, want)
	}
}

// TestPagingOverChanges holds that a reader of pages meets each job that is there all the time once, and none twice.
func TestPagingOverChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex(time.Now)
		put := func(id string) {
			spec := newSpec(events.Normal)
			spec.CreatedAt = noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "created")) * time.Second)
			x.put(id, documentOf(events.New(id, events.Position{Run: 1}, noon, "test", events.Created{Spec: spec}), 1))
		}
		stays := map[string]bool{}
		for i := range rapid.IntRange(0, 12).Draw(t, "jobs") {
			id := fmt.Sprint("job-", i)
			put(id)
			stays[id] = true
		}
		met := map[string]bool{}
		var after *events.Cursor
		for more, added := true, 0; more; {
			var page []events.Status
			page, more = x.list(events.List{After: after}, rapid.IntRange(1, 3).Draw(t, "limit"))
			for _, s := range page {
				if met[s.ID] {
					t.Fatalf("job %s is listed twice", s.ID)
				}
				cursor := cursorOf(s)
				met[s.ID], after = true, &cursor
			}
			for range min(rapid.IntRange(0, 2).Draw(t, "added"), 6-added) {
				put(fmt.Sprint("added-", added))
				added++
			}
			if gone := fmt.Sprint("job-", rapid.IntRange(0, 20).Draw(t, "gone")); stays[gone] {
				x.remove(gone)
				delete(stays, gone)
			}
		}
		for id := range stays {
			if !met[id] {
				t.Fatalf("job %s is not listed", id)
			}
		}
	})
}

func TestPositionCountsTheUrgentLaneFirst(t *testing.T) {
	x := newIndex(time.Now)
	for i, p := range []events.Priority{events.Normal, events.Urgent, events.Normal, events.Urgent} {
		x.put(fmt.Sprint(i), queuedJob(fmt.Sprint(i), p, uint64(10+i)))
	}
	check := func(when string, want ...int) {
		t.Helper()
		for i, position := range want {
			if got := x.position(fmt.Sprint(i)); got != position {
				t.Errorf("%s: job %d is at %d, want %d", when, i, got, position)
			}
		}
	}
	check("all wait", 3, 1, 4, 2)
	started := events.New("1", events.Position{Run: 1, Claim: 1}, noon, "test", events.Started{Spec: newSpec(events.Urgent)})
	x.put("1", fold(queuedJob("1", events.Urgent, 11), started, 20))
	check("the first urgent one has started", 2, 0, 3, 1)
	x.remove("0")
	check("the first normal one is gone", 0, 0, 2, 1)
	if got := x.position("unknown"); got != 0 {
		t.Errorf("an unknown job is at %d", got)
	}
}

func TestOverdue(t *testing.T) {
	now := noon
	x := newIndex(func() time.Time { return now })
	created := documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Urgent)}), 1)
	check := func(when string, runs ...int) {
		t.Helper()
		var got []int
		for _, job := range x.overdue(10 * time.Second) {
			got = append(got, job.Run)
			if job.ID != jobID || job.Spec.Priority != events.Urgent {
				t.Errorf("%s: overdue is %+v", when, job)
			}
		}
		if !slices.Equal(got, runs) {
			t.Errorf("%s: overdue are the runs %v, want %v", when, got, runs)
		}
	}
	x.put(jobID, created)
	now = now.Add(10*time.Second - 1)
	x.put(jobID, created) // a repeated document does not give it more time
	check("just before")
	now = now.Add(1)
	check("in time", 1)
	cancelling := fold(created, event(1, 1, 0, 0, 0, events.CancelRequested{}), 2)
	x.put(jobID, cancelling)
	check("to be cancelled by whoever meets it", 1)
	queued := fold(created, event(1, 1, 0, 0, 0, events.Queued{Sequence: 1}), 2)
	x.put(jobID, queued)
	check("queued")
	failed := fold(queued, event(2, 1, 1, 1, 1, events.Failed{}), 3)
	x.put(jobID, failed)
	check("failed")
	x.put(jobID, fold(failed, event(3, 2, 0, 0, 0, events.Redriven{}), 4))
	check("just redriven")
	now = now.Add(10 * time.Second)
	check("redriven", 2)
	x.put(jobID, fold(documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: newSpec(events.Urgent)}), 1),
		event(4, 3, 0, 0, 0, events.Redriven{}), 5))
	check("redriven again, unheard of what was between")
	x.remove(jobID)
	check("removed")
}

func queuedJob(id string, p events.Priority, place uint64) Document {
	created := events.New(id, events.Position{Run: 1}, noon, "test", events.Created{Spec: newSpec(p)})
	queued := events.New(id, events.Position{Run: 1}, noon, "test", events.Queued{Sequence: place})
	return fold(documentOf(created, 1), queued, 2)
}

// TestQuietIsWhatHasNotChanged holds that a job which is told again, as after an outage, is as quiet as before.
func TestQuietIsWhatHasNotChanged(t *testing.T) {
	now := noon
	x := newIndex(func() time.Time { return now })
	created := documentOf(event(0, 1, 0, 0, 0, events.Created{Spec: jobSpec}), 1)
	expect := func(what string, runs ...int) {
		t.Helper()
		var got []int
		for _, job := range x.quiet(time.Minute) {
			got = append(got, job.Run)
		}
		if !slices.Equal(got, runs) {
			t.Errorf("%s: quiet are runs %v, want %v", what, got, runs)
		}
	}
	x.put(jobID, created)
	now = now.Add(time.Minute)
	expect("not queued yet, which is the repairer's")
	queued := fold(created, event(1, 1, 0, 0, 0, events.Queued{Sequence: 1}), 2)
	x.put(jobID, queued)
	now = now.Add(time.Minute / 2)
	expect("changed lately")
	x.put(jobID, queued)
	now = now.Add(time.Minute / 2)
	expect("told again", 1)
	failed := fold(queued, event(2, 1, 1, 1, 1, events.Failed{}), 3)
	x.put(jobID, failed)
	now = now.Add(time.Minute)
	expect("ended")
	again := fold(failed, event(3, 2, 0, 0, 0, events.Redriven{}), 4)
	x.put(jobID, fold(again, event(4, 2, 0, 0, 0, events.Queued{Sequence: 2}), 5))
	now = now.Add(time.Minute)
	expect("queued again", 2)
	if x.underway() != 1 || x.over(jobID, 2) || !x.over(jobID, 1) || x.over("another", 1) {
		t.Errorf("%d are under way", x.underway())
	}
}
