package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// burst is how much is sent at once, in bytes.
const burst = 32 << 10

// stream is one connection on which events are sent. It misses none and sends none twice: it listens before it has read
// the history to its end, and sends of what it then hears only what is newer than what it has read.
type stream struct {
	service  *Service
	ctx      context.Context // ends with the client, the API, or the listener's place
	listener *listener
	subject  string
	last     uint64 // the sequence of the last event that the client has
	run      int    // the highest run that is known of
	over     int    // the highest run that is known to have ended
	pending  []byte // what is to be sent
}

// take adds a frame to what is to be sent, unless the client has it already.
func (st *stream) take(f frame) {
	st.run = max(st.run, f.run)
	if f.kind.Terminal() {
		st.over = max(st.over, f.run)
	}
	if f.sequence > st.last {
		st.last = f.sequence
		st.pending = append(st.pending, f.text...)
	}
}

// complete reports whether the stream is one job's, and that has ended as far as is known.
func (st *stream) complete() bool {
	return st.listener.jobID != everyJob && st.run > 0 && st.over == st.run && len(st.listener.frames) == 0
}

// collect takes what the history has from a sequence on, and calls flush whenever a burst has come together.
func (st *stream) collect(from uint64, flush func() error) error {
	for stored, err := range st.service.bus.Events.History(st.ctx, st.subject, from) {
		if err != nil {
			return err
		}
		f, err := newFrame(stored)
		if err != nil {
			st.service.config.Log.Debug("event not sent: it cannot be read", "sequence", stored.Sequence, "err", err)
			continue
		}
		st.take(f)
		if len(st.pending) >= burst {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	st.service.feed.hasRead(st.last)
	return nil
}

// answer sends what is pending, what replay collects, and what comes then, until the stream is complete or its context
// ends.
func (st *stream) answer(w http.ResponseWriter, opening string, replay func(flush func() error) error) error {
	w.Header().Set(echo.HeaderContentType, eventStream)
	c, err := newClient(st.ctx, w)
	if err != nil {
		return err
	}
	defer c.close()
	flush := func() error {
		err := c.send(st.pending)
		st.pending = st.pending[:0]
		return err
	}
	st.pending = append([]byte(opening), st.pending...)
	for _, step := range []func() error{flush, func() error { return replay(flush) }, func() error { return st.follow(flush) }} {
		if err := step(); err != nil {
			if why := context.Cause(st.ctx); why != nil {
				err = why
			}
			st.service.config.Log.Debug("stream broken off", "subject", st.subject, "sequence", st.last, "err", err)
			break // it has begun, and cannot become a problem any more
		}
	}
	return nil
}

// follow sends what the listener hears.
func (st *stream) follow(flush func() error) error {
	heartbeat := time.NewTicker(st.service.config.Heartbeat)
	defer heartbeat.Stop()
	for {
		if len(st.pending) > 0 {
			if err := flush(); err != nil {
				return err
			}
		}
		if st.complete() {
			return nil
		}
		select {
		case <-st.ctx.Done():
			return st.ctx.Err()
		case <-heartbeat.C:
			st.pending = append(st.pending, ":\n\n"...) // a comment
		case f := <-st.listener.frames:
			st.take(f)
			st.takeWaiting()
		}
	}
}

// takeWaiting takes what waits already, up to a burst.
func (st *stream) takeWaiting() {
	for len(st.pending) < burst {
		select {
		case f := <-st.listener.frames:
			st.take(f)
		default:
			return
		}
	}
}
