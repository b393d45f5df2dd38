package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// watchPatience bounds how long the server may take to establish a watch.
	watchPatience = 5 * time.Second
	// watchAgainAfter is the pause before another try to establish a watch.
	watchAgainAfter = 250 * time.Millisecond
)

// Follow calls take for each entry of a watch on a bucket, in order, and with nil behind what was there when the watch
// began. It returns once the watch is established; done is closed after ctx ends, when take is not called any more.
//
// A watch of the client alone does not outlive every outage: it ends unheard when it finds the connection lost, and
// notices late that a restarted server has forgotten it. So begin is called for another one after each reconnection,
// and whenever a watch ends.
func Follow(
	ctx context.Context, nc *nats.Conn, begin func(context.Context) (jetstream.KeyWatcher, error),
	take func(jetstream.KeyValueEntry),
) (done <-chan struct{}, err error) {
	reconnected := nc.StatusChanged(nats.CONNECTED)
	first, err := establish(ctx, begin)
	if err != nil {
		nc.RemoveStatusListener(reconnected)
		return nil, unavailable(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer nc.RemoveStatusListener(reconnected)
		for w := first; w != nil; w = establishAgain(ctx, reconnected, begin) {
			w.forward(ctx, reconnected, take)
			w.stop()
		}
	}()
	return ended, nil
}

// watch is one watch, which lasts as long as the client and the server keep it.
type watch struct {
	jetstream.KeyWatcher
	cancel context.CancelFunc
}

func establish(ctx context.Context, begin func(context.Context) (jetstream.KeyWatcher, error)) (*watch, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	impatience := time.AfterFunc(watchPatience, func() { cancel(context.DeadlineExceeded) })
	watcher, err := begin(ctx)
	if err == nil && !impatience.Stop() { // the context ends the watch, too
		_ = watcher.Stop()
		err = context.DeadlineExceeded
	}
	if err != nil {
		cause := context.Cause(ctx)
		impatience.Stop()
		cancel(nil)
		if cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return nil, err
	}
	return &watch{watcher, func() { cancel(nil) }}, nil
}

// establishAgain tries until ctx ends, and returns nil then.
func establishAgain(
	ctx context.Context, reconnected <-chan nats.Status, begin func(context.Context) (jetstream.KeyWatcher, error),
) *watch {
	pause := time.NewTicker(watchAgainAfter)
	defer pause.Stop()
	for ctx.Err() == nil {
		for len(reconnected) > 0 { // what begins now knows of these
			<-reconnected
		}
		if w, err := establish(ctx, begin); err == nil {
			return w
		}
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
	return nil
}

// forward returns when the watch has to be replaced, or ctx ends.
func (w *watch) forward(ctx context.Context, reconnected <-chan nats.Status, take func(jetstream.KeyValueEntry)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-reconnected:
			return
		case entry, open := <-w.Updates():
			if !open {
				return
			}
			take(entry)
		}
	}
}

// stop ends the watch. The client may be about to hand over one more entry, and waits until someone takes it.
func (w *watch) stop() {
	w.cancel()
	_ = w.Stop() // an error says that it has ended already
	go func() {
		for range w.Updates() {
		}
	}()
}
