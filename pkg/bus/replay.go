package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

const (
	// replayPatience is after how long without an event it is asked whether there are more.
	replayPatience = 2 * time.Second
	// replayForgotten is how long the server remembers a reader that went away.
	replayForgotten = 30 * time.Second
)

// All reads the stored events in their order, up to the last one that is there when it begins. Events that are thinned
// or too old by the time they would be read are left out. A failure is the last thing that it yields: [ErrUnavailable]
// when the stream does not answer.
func (s *Events) All(ctx context.Context) iter.Seq2[jetstream.Msg, error] {
	return func(yield func(jetstream.Msg, error) bool) {
		if err := s.replay(ctx, func(m jetstream.Msg) bool { return yield(m, nil) }); err != nil {
			yield(nil, fmt.Errorf("reading stream %s: %w", EventsStream, unavailable(err)))
		}
	}
}

// replay calls take for each event until it returns false.
func (s *Events) replay(ctx context.Context, take func(jetstream.Msg) bool) error {
	info, err := s.stream.Info(ctx)
	if err != nil || info.State.Msgs == 0 {
		return err
	}
	consumer, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		MaxResetAttempts: 1, InactiveThreshold: replayForgotten, // in an outage it fails instead of waiting for its end
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for at := uint64(0); ctx.Err() == nil; {
		m, err := nextWithin(ctx, replayPatience, messages)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			if over, err := s.over(ctx, at, info.State.LastSeq); err != nil || over {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		at = meta.Sequence.Stream
		if at > info.State.LastSeq || !take(m) || at == info.State.LastSeq {
			return nil
		}
		if meta.NumPending == 0 {
			if over, err := s.over(ctx, at, info.State.LastSeq); err != nil || over {
				return err
			}
		}
	}
	return ctx.Err()
}

// over reports whether there is nothing more behind one sequence up to another one: what was there has grown too old, or was
// thinned. The copy of the stream that a reader has may be behind, so that the leader is asked.
func (s *Events) over(ctx context.Context, behind, last uint64) (bool, error) {
	next, err := askLeader(ctx, s.js.Conn(), EventsStream, lookup{From: behind + 1, Next: events.EventSubjects})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return true, nil
	}
	return err == nil && next.Sequence > last, err
}

func nextWithin(ctx context.Context, patience time.Duration, messages jetstream.MessagesContext) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return messages.Next(jetstream.NextContext(ctx))
}
