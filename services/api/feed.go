package api

import (
	"context"
	"log/slog"
	"sync"

	"sluice/pkg/bus"
	"sluice/services/api/refusal"
)

// everyJob is the key of those who listen to all jobs.
const everyJob = ""

// feed passes events on to whoever listens, as they are stored. NATS delivers each once, however many listeners there are.
type feed struct {
	bus   *bus.Bus
	log   *slog.Logger
	begun chan struct{} // closed once events are passed on

	mu        sync.Mutex
	placed    bool
	ended     bool
	last      uint64 // the sequence up to which everything was passed on
	read      uint64 // the highest sequence that a listener has read in the history
	listeners map[string]map[*listener]struct{}
}

func newFeed(b *bus.Bus, log *slog.Logger) *feed {
	return &feed{bus: b, log: log, begun: make(chan struct{}), listeners: make(map[string]map[*listener]struct{})}
}

// run passes events on until ctx ends, and lets all listeners go then.
func (f *feed) run(ctx context.Context) {
	f.bus.Events.Tail(ctx, identity, f.begin, f.pass)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.dismissAll(errEnding)
}

func (f *feed) begin(after, stored uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.placed {
		close(f.begun)
	}
	if stored < max(f.last, f.read) { // the places that listeners have are those of events which no longer exist
		f.dismissAll(errRestored)
		f.read = stored
	}
	f.placed, f.last = true, after
}

// hasRead says that a listener has read the history up to a sequence, which may be more than was passed on.
func (f *feed) hasRead(sequence uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read = max(f.read, sequence)
}

func (f *feed) pass(stored bus.Stored) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = stored.Sequence
	if len(f.listeners) == 0 {
		return
	}
	made, err := newFrame(stored)
	if err != nil {
		f.log.Warn("event not passed on: it cannot be read", "sequence", stored.Sequence, "err", err)
		return
	}
	for _, key := range []string{made.jobID, everyJob} {
		for l := range f.listeners[key] {
			if l.live && !l.offer(made) {
				f.dismiss(l, errSlow)
			}
		}
	}
}

// join makes a place for a listener, which stays until ctx ends; the returned context ends with the place. Nothing is
// passed on to it before [feed.goLive].
func (f *feed) join(ctx context.Context, jobID string) (context.Context, *listener, error) {
	waiting, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	select {
	case <-f.begun:
	case <-waiting.Done():
		return nil, nil, refusal.New(refusal.QueueUnavailable, "no events can be watched before NATS answers").Because(waiting.Err())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil, nil, refusal.New(refusal.QueueUnavailable, "this API is about to end").Because(errEnding)
	}
	ctx, letGo := context.WithCancelCause(ctx)
	l := &listener{jobID: jobID, frames: make(chan frame, listenerRoom), letGo: letGo}
	if f.listeners[jobID] == nil {
		f.listeners[jobID] = make(map[*listener]struct{})
	}
	f.listeners[jobID][l] = struct{}{}
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dismiss(l, nil)
	})
	return ctx, l, nil
}

// goLive passes on to the listener whatever comes from now on.
func (f *feed) goLive(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.live = true
}

func (f *feed) dismissAll(why error) {
	for _, group := range f.listeners {
		for l := range group {
			f.dismiss(l, why)
		}
	}
}

func (f *feed) dismiss(l *listener, why error) {
	l.letGo(why)
	delete(f.listeners[l.jobID], l)
	if len(f.listeners[l.jobID]) == 0 {
		delete(f.listeners, l.jobID)
	}
}
