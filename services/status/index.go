package status

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"sluice/pkg/events"
)

// index answers questions over all jobs from memory: listing the bucket's keys for each would take seconds.
type index struct {
	now func() time.Time

	mu       sync.RWMutex
	byID     map[string]*entry
	byAge    []*entry                     // by (created at, id), the oldest first
	lanes    map[events.Priority][]uint64 // places of the waiting jobs of each lane, in order
	totals   map[events.State]int         // of all jobs
	open     map[string]events.Lanes      // counts of the jobs that have not ended, by submitter; all of them with ""
	unqueued map[string]unqueued          // jobs accepted, but not known to be on the queue
	asOf     uint64                       // how often the client had reconnected when the watch that filled it began
	changed  chan struct{}                // closed and replaced at each change
}

// entry is what the index keeps of a job: enough for lists, without the parts of a result that can be large.
type entry struct {
	status   events.Status
	place    uint64 // in its lane of the queue; 0 when it does not wait there
	sequence uint64
	since    time.Time // when it was seen to change last, by this process's clock: hosts' clocks may differ
}

type unqueued struct {
	since time.Time // by this process's clock
	job   events.Job
}

func newIndex(now func() time.Time) *index {
	return &index{
		now:      now,
		byID:     make(map[string]*entry),
		lanes:    make(map[events.Priority][]uint64),
		totals:   make(map[events.State]int),
		open:     make(map[string]events.Lanes),
		unqueued: make(map[string]unqueued),
		changed:  make(chan struct{}),
	}
}

// put takes in the newest document of a job.
func (x *index) put(jobID string, d Document) {
	if !d.known() {
		return
	}
	e := &entry{status: d.view(), sequence: d.Sequence, place: place(d), since: x.now()}
	e.status.Result = nil

	x.mu.Lock()
	defer x.mu.Unlock()
	if was, ok := x.byID[jobID]; ok && was.sequence == e.sequence && was.status.State == e.status.State {
		e.since = was.since // told again, as after an outage
	}
	x.drop(jobID)
	x.byID[jobID] = e
	x.totals[e.status.State]++
	x.countOpen(e, 1)
	at, _ := slices.BinarySearchFunc(x.byAge, cursorOf(e.status), compareEntry)
	x.byAge = slices.Insert(x.byAge, at, e)
	if e.place > 0 {
		lane := x.lanes[e.status.Spec.Priority]
		at, _ := slices.BinarySearch(lane, e.place)
		x.lanes[e.status.Spec.Priority] = slices.Insert(lane, at, e.place)
	}
	x.noteUnqueued(jobID, d)
	x.announce()
}

// remove forgets a job whose document has left the bucket.
func (x *index) remove(jobID string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(jobID)
	delete(x.unqueued, jobID)
	x.announce()
}

// filled says that all has been told that was there when a watch began, and which jobs that were: others may have left
// the bucket unheard, while the server was away. The watch began after so many reconnections.
func (x *index) filled(jobs map[string]bool, reconnections uint64) {
	x.mu.RLock()
	var gone []string
	for jobID := range x.byID {
		if !jobs[jobID] {
			gone = append(gone, jobID)
		}
	}
	x.mu.RUnlock()
	for _, jobID := range gone {
		x.remove(jobID)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asOf = reconnections
	x.announce()
}

// filledAfter returns after how many reconnections the index was filled, and a channel that is closed at the next change.
func (x *index) filledAfter() (reconnections uint64, changed <-chan struct{}) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.asOf, x.changed
}

// drop takes a job's entry out of the orders. The caller holds the lock.
func (x *index) drop(jobID string) {
	e, ok := x.byID[jobID]
	if !ok {
		return
	}
	delete(x.byID, jobID)
	x.countOpen(e, -1)
	x.totals[e.status.State]--
	if at, found := slices.BinarySearchFunc(x.byAge, cursorOf(e.status), compareEntry); found {
		x.byAge = slices.Delete(x.byAge, at, at+1)
	}
	lane := x.lanes[e.status.Spec.Priority]
	if at, found := slices.BinarySearch(lane, e.place); found {
		x.lanes[e.status.Spec.Priority] = slices.Delete(lane, at, at+1)
	}
}

func (x *index) noteUnqueued(jobID string, d Document) {
	if !d.awaitsQueue() {
		delete(x.unqueued, jobID)
		return
	}
	if known, ok := x.unqueued[jobID]; !ok || known.job.Run != d.Head.Run {
		x.unqueued[jobID] = unqueued{since: x.now(), job: d.job()}
	}
}

func (x *index) announce() {
	close(x.changed)
	x.changed = make(chan struct{})
}

// sequence returns up to where a job's events are in its entry, and a channel that is closed at the next change.
func (x *index) sequence(jobID string) (sequence uint64, known bool, changed <-chan struct{}) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e, ok := x.byID[jobID]; ok {
		return e.sequence, true, x.changed
	}
	return 0, false, x.changed
}

// position returns how many jobs a waiting one has to wait for, itself included: those before it in its lane and, in
// the normal lane, every urgent one. It is 0 for a job that does not wait.
func (x *index) position(jobID string) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.positionOf(x.byID[jobID])
}

func (x *index) positionOf(e *entry) int {
	if e == nil || e.place == 0 {
		return 0
	}
	at, _ := slices.BinarySearch(x.lanes[e.status.Spec.Priority], e.place)
	if e.status.Spec.Priority == events.Normal {
		at += len(x.lanes[events.Urgent])
	}
	return at + 1
}

// overdue returns the jobs that were accepted at least age ago and are still not known to be on the queue.
func (x *index) overdue(age time.Duration) []events.Job {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var jobs []events.Job
	for _, u := range x.unqueued {
		if x.now().Sub(u.since) >= age {
			jobs = append(jobs, u.job)
		}
	}
	return jobs
}

// endedBefore returns the jobs that ended before a time.
func (x *index) endedBefore(t time.Time) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var ids []string
	for _, e := range x.byAge {
		if e.status.FinishedAt != nil && e.status.FinishedAt.Before(t) {
			ids = append(ids, e.status.ID)
		}
	}
	return ids
}

// place returns the sequence in JOBS of a job that waits there, else 0.
func place(d Document) uint64 {
	if d.State != events.StateQueued || d.Queued == nil || d.Queued.Run != d.Head.Run {
		return 0
	}
	queued, _ := d.Queued.Data.(events.Queued)
	return queued.Sequence
}

func cursorOf(s events.Status) events.Cursor {
	return events.Cursor{CreatedAtMS: s.Spec.CreatedAt.UnixMilli(), ID: s.ID}
}

func compareEntry(e *entry, c events.Cursor) int {
	key := cursorOf(e.status)
	return cmp.Or(cmp.Compare(key.CreatedAtMS, c.CreatedAtMS), cmp.Compare(key.ID, c.ID))
}
