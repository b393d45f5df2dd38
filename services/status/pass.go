package status

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// passPatience bounds how long the next document may be waited for.
const passPatience = 10 * time.Second

// everyDocument calls take for each document in the bucket, in one pass, until it fails. It fails with
// [bus.ErrUnavailable] when the pass breaks off.
func everyDocument(ctx context.Context, b *bus.Bus, take func(jetstream.KeyValueEntry) error) error {
	watch, err := b.Documents.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("reading the documents: %w", err)
	}
	defer func() {
		_ = watch.Stop() // an error says that it has ended already
		go func() {
			for range watch.Updates() { // the client may be about to hand over one more, and waits until someone takes it
			}
		}()
	}()
	late := time.NewTimer(passPatience)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("reading the documents: %w", ctx.Err())
		case <-late.C:
			return fmt.Errorf("reading the documents: %w", bus.ErrUnavailable)
		case entry, open := <-watch.Updates():
			if !open {
				return fmt.Errorf("reading the documents: %w", bus.ErrUnavailable)
			}
			if entry == nil { // all that is there has come
				return nil
			}
			if err := take(entry); err != nil {
				return err
			}
			late.Reset(passPatience)
		}
	}
}
