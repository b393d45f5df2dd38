package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// CheckQueue asks whether what jobs are accepted into is there: the queue and the history. It fails with [ErrNotSetUp],
// naming what is missing, and with [ErrUnavailable] when that does not answer before ctx ends.
func (b *Bus) CheckQueue(ctx context.Context) error {
	history := make(chan error, 1)
	go func() { history <- checkStream(ctx, b.Events.stream, EventsStream) }()
	return errors.Join(checkStream(ctx, b.Jobs.stream, JobsStream), <-history)
}

// CheckDocuments asks whether the bucket of status documents is there. It fails as [Bus.CheckQueue] does.
func (b *Bus) CheckDocuments(ctx context.Context) error {
	_, err := b.Documents.Status(ctx)
	return checked("bucket "+DocumentsBucket, err)
}

func checkStream(ctx context.Context, stream jetstream.Stream, name string) error {
	_, err := stream.Info(ctx)
	return checked("stream "+name, err)
}

// checked says of what a check has failed.
func checked(asset string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: %s is missing; `sluice setup` makes it", ErrNotSetUp, asset)
	}
	return fmt.Errorf("%s does not answer: %w", asset, unavailable(err))
}
