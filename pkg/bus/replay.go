package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
	for ctx.Err() == nil {
		m, err := nextWithin(ctx, replayPatience, messages)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			if now, err := consumer.Info(ctx); err != nil || now.NumPending == 0 { // the rest has grown too old meanwhile
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
		at := meta.Sequence.Stream
		if at > info.State.LastSeq || !take(m) || at == info.State.LastSeq || meta.NumPending == 0 {
			return nil
		}
	}
	return ctx.Err()
}

func nextWithin(ctx context.Context, patience time.Duration, messages jetstream.MessagesContext) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return messages.Next(jetstream.NextContext(ctx))
}
