package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"
)

const (
	// reconnectAfter is the pause before a stream that broke off is asked for again, if the API names none.
	reconnectAfter = time.Second
	// reconnects is how often in a row that may fail: not be answered, or be broken off before an event.
	reconnects = 10
)

// errCut is how a stream ends that should not.
var errCut = errors.New("the stream has broken off")

// Events yields what has happened to a job and what happens then, each event as it comes, until the job has ended. Without an id it
// yields what happens to all jobs from now on, until ctx ends. With the sequence of an event it begins behind that one instead.
//
// A stream that breaks off is taken up again where it was. What cannot be mended is the last item.
func (c *Client) Events(ctx context.Context, id string, after *int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := eventStream{client: c, id: id}
		if after != nil {
			s.last = strconv.FormatInt(*after, 10)
		}
		for failed := 0; ; {
			fine, done, err := s.read(ctx, yield)
			if done || err == nil {
				return
			}
			if fine {
				failed = 0
			} else {
				failed++
			}
			if failed > reconnects || !mendable(err) {
				yield(Event{}, err)
				return
			}
			if err := s.pause(ctx); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// eventStream is a stream over as many connections as it takes.
type eventStream struct {
	client *Client
	id     string // of the job; empty: all jobs
	last   string // the id of the last event; empty: none yet
	retry  time.Duration
}

// read yields what comes on one connection. It is fine if there was an event, or the stream ended in order without one, as one does
// when the API ends. It is done when the caller has had enough. Without an error the stream is complete.
func (s *eventStream) read(ctx context.Context, yield func(Event, error) bool) (fine, done bool, err error) {
	r, err := s.open(ctx)
	if err != nil {
		return false, false, err
	}
	if r.StatusCode == http.StatusNoContent {
		return false, false, r.Body.Close()
	}
	body, err := stream(r, nil, eventsType)
	if err != nil {
		return false, false, err
	}
	defer func() { _ = body.Close() }()
	for f, err := range frames(body) {
		if err != nil {
			return fine, false, err
		}
		s.last, s.retry = cmp.Or(f.id, s.last), f.retry
		if len(f.data) == 0 {
			continue
		}
		var e Event
		if err := json.Unmarshal(f.data, &e); err != nil {
			return fine, false, fmt.Errorf("reading event %s: %w", f.id, err)
		}
		fine = true
		if !yield(e, nil) {
			return fine, true, nil
		}
	}
	if ctx.Err() != nil {
		return fine, false, context.Cause(ctx)
	}
	return true, false, &Unreachable{URL: s.client.url, Err: errCut} // asking again tells whether that was all
}

func (s *eventStream) open(ctx context.Context) (*http.Response, error) {
	last := optional(s.last)
	if s.id == "" {
		return s.client.calls.StreamEvents(ctx, &StreamEventsParams{LastEventID: last}, accepting(eventsType))
	}
	return s.client.calls.GetJobEvents(ctx, s.id, &GetJobEventsParams{LastEventID: last}, accepting(eventsType))
}

func (s *eventStream) pause(ctx context.Context) error {
	pause := s.retry
	if pause <= 0 {
		pause = reconnectAfter
	}
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// mendable tells whether asking again may help.
func mendable(err error) bool {
	if _, ok := errors.AsType[*Unreachable](err); ok {
		return true
	}
	p, ok := errors.AsType[*Problem](err)
	return ok && (p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests)
}
