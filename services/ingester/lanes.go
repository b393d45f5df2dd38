package ingester

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const (
	// pollInterval finds what no bell rings for: redeliveries, and messages whose creator ended before it said queued.
	pollInterval = time.Second
	// urgentInARow is after how many urgent jobs the normal lane is asked first.
	urgentInARow = 4
)

// lanes hands out jobs, one whenever it is asked: a job that was fetched ahead would wait for a busy worker while another
// one is free.
type lanes struct {
	consumers map[events.Priority]jetstream.Consumer
	bell      chan struct{}
	bellPull  *nats.Subscription
	urgent    int // urgent jobs handed out since the last normal one
}

// openLanes binds the lanes. Their bell is the event queued: it is published once the job's message is stored.
func openLanes(ctx context.Context, b *bus.Bus) (*lanes, error) {
	l := &lanes{consumers: make(map[events.Priority]jetstream.Consumer), bell: make(chan struct{}, 1)}
	for _, p := range events.Priorities() {
		c, err := b.Jobs.Lane(ctx, p)
		if err != nil {
			return nil, err
		}
		l.consumers[p] = c
	}
	pull, err := b.Conn.Subscribe(events.EventSubject("*", events.TypeQueued), func(*nats.Msg) {
		select {
		case l.bell <- struct{}{}:
		default: // it rings already
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribing to queued jobs: %w", err)
	}
	l.bellPull = pull
	return l, nil
}

func (l *lanes) close() { _ = l.bellPull.Unsubscribe() }

// next waits for a job. It fails only when ctx ends.
func (l *lanes) next(ctx context.Context) (jetstream.Msg, error) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		for _, p := range l.order() {
			if msg := l.fetch(ctx, p); msg != nil {
				return msg, nil
			}
		}
		select {
		case <-l.bell:
		case <-poll.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *lanes) order() []events.Priority {
	if l.urgent >= urgentInARow {
		return []events.Priority{events.Normal, events.Urgent}
	}
	return []events.Priority{events.Urgent, events.Normal}
}

// fetch returns a job of one lane, or nil if there is none or NATS is not to be had: next asks again.
func (l *lanes) fetch(ctx context.Context, p events.Priority) jetstream.Msg {
	if ctx.Err() != nil {
		return nil
	}
	batch, err := l.consumers[p].FetchNoWait(1)
	if err != nil {
		return nil
	}
	msg, ok := <-batch.Messages()
	if !ok {
		return nil
	}
	if p == events.Urgent {
		l.urgent++
	} else {
		l.urgent = 0
	}
	return msg
}
