package rpc

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/proto"

	sluicev1 "sluice/pkg/proto/sluice/v1"
)

const eventStream = "text/event-stream"

// watch sends the events of a stream of server-sent ones, each with its place. What the stream sends to show that it is
// alive is sent without an event. It fails if the stream ends before the job that it is about has.
func (h *Handler) watch(
	ctx context.Context, message proto.Message, after *int64, send func(sequence int64, e *sluicev1.Event) error,
) error {
	r, _, err := h.request(ctx, message)
	if err != nil {
		return err
	}
	w := &watching{send: send}
	if after != nil {
		if *after < 0 {
			return invalid("after_sequence", "must not be negative")
		}
		w.sequence = *after
		r.Header.Set("Last-Event-ID", strconv.FormatInt(*after, 10))
	}
	answer := &reply{line: w.line}
	if err := h.ask(ctx, r, answer); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return gone(ctx.Err())
	case answer.status == http.StatusNoContent: // the job had ended before
		return nil
	case w.run > 0 && w.over == w.run: // it has now
		return nil
	}
	return broken("the stream was broken off; watch again behind sequence " + strconv.FormatInt(w.sequence, 10))
}

// watching reads server-sent events, line by line.
type watching struct {
	send     func(sequence int64, e *sluicev1.Event) error
	sequence int64           // of the last event
	event    *sluicev1.Event // the one that has begun
	run      int32           // the highest run that is known of
	over     int32           // the highest run that is known to have ended
}

func (w *watching) line(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(": "))
	switch string(name) {
	case "": // an event is complete, or it is none
		if len(line) > 0 {
			return nil
		}
		e := w.event
		w.event = nil
		return w.send(w.sequence, e)
	case "id":
		sequence, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return fmt.Errorf("reading an event's place: %w", err)
		}
		w.sequence = sequence
	case "data":
		w.event = &sluicev1.Event{}
		if err := fill(w.event.ProtoReflect(), value); err != nil {
			return err
		}
		w.run = max(w.run, w.event.GetRun())
		switch w.event.GetType() {
		case "succeeded", "failed", "cancelled":
			w.over = max(w.over, w.event.GetRun())
		}
	}
	return nil
}
