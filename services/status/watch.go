package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"
)

// watch keeps the index in step with the bucket until ctx ends, and calls ready once all that was there is in it.
func watch(ctx context.Context, kv jetstream.KeyValue, x *index, ready func(), log *slog.Logger) error {
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watching the documents: %w", err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-watcher.Updates():
			if !open {
				if ctx.Err() != nil {
					return nil
				}
				return errors.New("watching the documents: the watch ended")
			}
			if e == nil { // all that was there has come
				ready()
				continue
			}
			if e.Operation() != jetstream.KeyValuePut {
				x.remove(e.Key())
				continue
			}
			d, err := decodeDocument(e)
			if err != nil {
				log.Error("document skipped", "job_id", e.Key(), "err", err)
				continue
			}
			x.put(e.Key(), d)
		}
	}
}
