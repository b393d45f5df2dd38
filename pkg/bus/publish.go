package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// inProcessPatience bounds how long another message of the same meaning may be on its way into a stream.
	inProcessPatience = 5 * time.Second
	// inProcessAgainAfter is the pause before another try to store what was refused for that reason.
	inProcessAgainAfter = 20 * time.Millisecond
)

// codeInProcess is the server's error code for a message whose id is that of one that its copies have not agreed on yet
// (JSStreamDuplicateMessageConflict). Only replicated streams answer with it.
const codeInProcess jetstream.ErrorCode = 10158

// errInProcess says that what is to be stored may be stored already by someone else, or may not: it is too early to tell.
var errInProcess = errors.New("the same is being stored by someone else")

// publish stores a message and returns its sequence, or that of the message with the same id that was stored before.
func publish(ctx context.Context, js jetstream.JetStream, msg *nats.Msg, opts ...jetstream.PublishOpt) (uint64, error) {
	return onceSettled(ctx, func() (uint64, error) {
		ack, err := js.PublishMsg(ctx, msg, opts...)
		if hasCode(err, codeInProcess) {
			return 0, errInProcess
		}
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	})
}

// onceSettled tries again while a try ends with errInProcess, and fails with [ErrUnavailable] if that does not end.
func onceSettled(ctx context.Context, try func() (uint64, error)) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, inProcessPatience)
	defer cancel()
	pause := time.NewTicker(inProcessAgainAfter)
	defer pause.Stop()
	for {
		sequence, err := try()
		if !errors.Is(err, errInProcess) {
			return sequence, err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}
