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
	return s.publish(ctx, e, jetstream.WithExpectLastSequencePerSubject(0))
}

func (s *Events) publish(ctx context.Context, e events.Event, opt jetstream.PublishOpt) (uint64, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("encoding event %s: %w", e.ID, err)
	}
	msg := &nats.Msg{Subject: e.Subject(), Data: data, Header: eventHeader(ctx, e)}
	ack, err := s.js.PublishMsg(ctx, msg, opt)
	if Conflict(err) {
		return 0, fmt.Errorf("appending event %s: %w", e.ID, ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("appending event %s: %w", e.ID, unavailable(err))
	}
	return ack.Sequence, nil
}

// Last returns the last event of one type of a job and its sequence, or false if there is none.
func (s *Events) Last(ctx context.Context, jobID string, t events.Type) (events.Event, uint64, bool, error) {
	msg, err := s.stream.GetLastMsgForSubject(ctx, events.EventSubject(jobID, t))
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
