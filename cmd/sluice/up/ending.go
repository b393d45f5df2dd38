package up

import (
	"context"
	"fmt"
	"io"
	"time"
)

// slow is how long a part of a run may take to end before it is said that it is waited for.
const slow = time.Second

// ending tells whoever ends a run that it ends, and what it waits for if that takes a while.
type ending struct {
	out    io.Writer
	parts  chan string   // what is waited for from now on
	over   chan struct{} // closed when there is no more to wait for
	silent chan struct{} // closed when nothing more is told
}

// tellEnding tells it once ctx ends, at first of what works on jobs. The caller closes it.
func tellEnding(ctx context.Context, out io.Writer) *ending {
	e := &ending{out: out, parts: make(chan string), over: make(chan struct{}), silent: make(chan struct{})}
	go e.tell(ctx)
	return e
}

func (e *ending) tell(ctx context.Context) {
	defer close(e.silent)
	part, begun := "jobs to be handed over and answers to be sent", ctx.Done()
	var late <-chan time.Time // once it has begun
	for {
		select {
		case <-begun:
			e.say("Ending: jobs under way are handed over, and go on at the next start. Ctrl-C again ends at once.")
			begun, late = nil, time.After(slow)
		case part = <-e.parts:
			if begun == nil {
				late = time.After(slow)
			}
		case <-late:
			e.say("Waiting for " + part + ".")
		case <-e.over:
			return
		}
	}
}

// waitFor says what is waited for from now on.
func (e *ending) waitFor(part string) { e.parts <- part }

func (e *ending) close() {
	close(e.over)
	<-e.silent
}

func (e *ending) say(text string) { _, _ = fmt.Fprintln(e.out, text) } // nobody may hear it any more
