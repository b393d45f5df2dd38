package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// Events is the history of all jobs.
type Events struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

// Publish appends an event and returns its sequence once it is stored. The same event told again within two minutes is
// stored once. It fails with [ErrUnavailable] when the stream does not answer.
func (s *Events) Publish(ctx context.Context, e events.Event) (uint64, error) {
	return s.publish(ctx, e, jetstream.WithMsgID(e.ID))
}

// PublishFirst appends an event only if its subject has none yet, and fails with [ErrConflict] otherwise. It sets no
// message id: a repeated one would be answered as a success.
func (s *Events) PublishFirst(ctx context.Context, e events.Event) (uint64, error) {
	return s.PublishNext(ctx, e, 0)
}

// PublishNext appends an event only if the last one of its job and type is at the given sequence, and fails with
// [ErrConflict] otherwise. Like PublishFirst it sets no message id.
func (s *Events) PublishNext(ctx context.Context, e events.Event, last uint64) (uint64, error) {
	return s.publishAfter(ctx, e, last)
}

// PublishMissing appends an event as PublishNext does which the history lacks, although it may have been told before. If it
// is told by others with its message id a moment later, it is stored once all the same.
func (s *Events) PublishMissing(ctx context.Context, e events.Event, last uint64) (uint64, error) {
	sequence, err := s.publishAfter(ctx, e, last, jetstream.WithMsgID(e.ID))
	if err != nil {
		return 0, err
	}
	_, kept, _, err := s.Last(ctx, e.JobID, e.Type)
	if err != nil || kept >= sequence {
		return sequence, err
	}
	return s.PublishNext(ctx, e, last) // the server remembers it and has it not any more
}

func (s *Events) publishAfter(
	ctx context.Context, e events.Event, last uint64, opts ...jetstream.PublishOpt,
) (uint64, error) {
	opts = append(opts, jetstream.WithExpectLastSequencePerSubject(last))
	return onceSettled(ctx, func() (uint64, error) {
		sequence, err := s.publish(ctx, e, opts...)
		if !hasCode(err, jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
			return sequence, err
		}
		// A replicated stream says so, too, while the other one is only on its way and may yet be lost.
		now, lost := askLeader(ctx, s.js.Conn(), EventsStream, lookup{Last: e.Subject()})
		if last == 0 && errors.Is(lost, jetstream.ErrMsgNotFound) || lost == nil && now.Sequence == last {
			return 0, errInProcess
		}
		return 0, err
	})
}

func (s *Events) publish(ctx context.Context, e events.Event, opts ...jetstream.PublishOpt) (uint64, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("encoding event %s: %w", e.ID, err)
	}
	msg := &nats.Msg{Subject: e.Subject(), Data: data, Header: eventHeader(ctx, e)}
	sequence, err := publish(ctx, s.js, msg, opts...)
	if Conflict(err) {
		return 0, fmt.Errorf("appending event %s: %w: %w", e.ID, ErrConflict, err)
	}
	if err != nil {
		return 0, fmt.Errorf("appending event %s: %w", e.ID, unavailable(err))
	}
	return sequence, nil
}

// Last returns the last event of one type of a job and its sequence, or false if there is none.
func (s *Events) Last(ctx context.Context, jobID string, t events.Type) (events.Event, uint64, bool, error) {
	msg, err := askLeader(ctx, s.js.Conn(), EventsStream, lookup{Last: events.EventSubject(jobID, t)})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return events.Event{}, 0, false, nil
	}
	if err != nil {
		return events.Event{}, 0, false, fmt.Errorf("reading event %s of job %s: %w", t, jobID, unavailable(err))
	}
	e, err := events.Decode(msg.Data)
	if err != nil {
		return events.Event{}, 0, false, fmt.Errorf("reading event %s of job %s: %w", t, jobID, err)
	}
	return e, msg.Sequence, true, nil
}

// Knows reports whether the history has any event of a job.
func (s *Events) Knows(ctx context.Context, jobID string) (bool, error) {
	_, err := askLeader(ctx, s.js.Conn(), EventsStream, lookup{From: 1, Next: events.JobEventSubjects(jobID)})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the history of job %s: %w", jobID, unavailable(err))
	}
	return true, nil
}

// FoldConsumer returns the consumer that the status replicas share.
func (s *Events) FoldConsumer(ctx context.Context) (jetstream.Consumer, error) {
	c, err := s.stream.Consumer(ctx, FoldConsumer)
	if err != nil {
		return nil, bindError("consumer "+FoldConsumer, err)
	}
	return c, nil
}

// eventHeader describes the event as a CloudEvent in binary mode (CloudEvents 1.0, NATS protocol binding) and carries
// the trace on.
func eventHeader(ctx context.Context, e events.Event) nats.Header {
	h := traceHeader(ctx)
	h["ce-specversion"] = []string{"1.0"}
	h["ce-id"] = []string{e.ID}
	h["ce-source"] = []string{"sluice/" + e.By}
	h["ce-type"] = []string{"sluice.job." + string(e.Type)}
	h["ce-subject"] = []string{e.JobID}
	h["ce-time"] = []string{e.At.Format(time.RFC3339Nano)}
	h["ce-datacontenttype"] = []string{"application/json"}
	return h
}
