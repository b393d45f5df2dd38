package ingester

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// lease is a job's message while this worker has it.
type lease struct {
	mu   sync.Mutex
	msg  jetstream.Msg
	over bool
}

func (l *lease) adopt(msg jetstream.Msg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.msg = msg
}

func (l *lease) message() jetstream.Msg {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.msg
}

// keep renews the lease and calls check, at each heartbeat until ctx ends. A renewal may fail: the fence in Postgres,
// not the lease, decides who may commit.
func (l *lease) keep(ctx context.Context, check func(context.Context)) {
	beat := time.NewTicker(bus.HeartbeatInterval)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			_ = l.message().InProgress()
			check(ctx)
		}
	}
}

// end takes the message off the queue, and returns once it is off.
func (l *lease) end(ctx context.Context) error {
	if err := l.message().DoubleAck(ctx); err != nil {
		return fmt.Errorf("acknowledging the job: %w", err)
	}
	l.leave()
	return nil
}

// giveBack lets the message be delivered again after a delay.
func (l *lease) giveBack(delay time.Duration) error {
	l.leave() // before the message can come back
	if err := l.message().NakWithDelay(delay); err != nil {
		return fmt.Errorf("giving the job back: %w", err)
	}
	return nil
}

// leave is for who has no more to do with the message.
func (l *lease) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

func (l *lease) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// deliveries is how often the message was delivered.
func (l *lease) deliveries() int {
	meta, err := l.message().Metadata()
	if err != nil {
		return 1
	}
	return int(min(meta.NumDelivered, 1000))
}
