package status

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// watchAgainAfter is the pause before another try to watch a bucket that was made anew.
const watchAgainAfter = time.Second

// watch keeps the index in step with the bucket until ctx ends, over outages of the server, and calls ready once all
// that was there is in it. It begins anew when rewatch says so.
func watch(
	ctx context.Context, b *bus.Bus, x *index, rewatch <-chan struct{}, ready func(), log *slog.Logger,
) error {
	ready = sync.OnceFunc(ready)
	err := watchOnce(ctx, b, x, rewatch, ready, log)
	for err == nil && ctx.Err() == nil {
		if again := watchOnce(ctx, b, x, rewatch, ready, log); again != nil {
			log.Warn("the documents are not watched; trying again", "err", again)
			select {
			case <-ctx.Done():
			case <-time.After(watchAgainAfter):
			}
		}
	}
	return err
}

func watchOnce(
	ctx context.Context, b *bus.Bus, x *index, rewatch <-chan struct{}, ready func(), log *slog.Logger,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-rewatch:
			cancel()
		case <-ctx.Done():
		}
	}()
	var met map[string]bool  // jobs that this watch has told of, while it tells what was there when it began
	var reconnections uint64 // before it began
	begin := func(ctx context.Context) (jetstream.KeyWatcher, error) {
		met, reconnections = make(map[string]bool), b.Conn.Stats().Reconnects
		return b.Documents.WatchAll(ctx)
	}
	done, err := bus.Follow(ctx, b.Conn, begin, func(e jetstream.KeyValueEntry) {
		switch {
		case e == nil: // all that was there has come
			x.filled(met, reconnections)
			met = nil
			ready()
			return
		case e.Operation() != jetstream.KeyValuePut:
			x.remove(e.Key())
			return
		case met != nil:
			met[e.Key()] = true
		}
		d, err := decodeDocument(e)
		if err != nil {
			log.Error("document skipped", "job_id", e.Key(), "err", err)
			return
		}
		x.put(e.Key(), d)
	})
	if err != nil {
		return fmt.Errorf("watching the documents: %w", err)
	}
	<-done
	return nil
}
