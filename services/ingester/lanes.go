package ingester

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const (
	// pollInterval finds what no bell rings for: redeliveries, and messages whose creator ended before it said queued.
	pollInterval = time.Second
	// firstRecheck is how soon after a bell that nothing was found for the lanes are asked again.
	firstRecheck = 2 * time.Millisecond
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
	deaf      bool
	log       *slog.Logger
}

// openLanes binds the lanes. Their bell is the event queued: it is published once the job's message is stored.
func openLanes(ctx context.Context, b *bus.Bus, log *slog.Logger) (*lanes, error) {
	l := &lanes{consumers: make(map[events.Priority]jetstream.Consumer), bell: make(chan struct{}, 1), log: log}
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

// next waits for a job. It fails only when ctx ends. A message that is stored may take its consumer a moment to notice,
// so that after a bell it asks a few times, ever more patiently.
func (l *lanes) next(ctx context.Context) (jetstream.Msg, error) {
	wait := pollInterval
	for {
		for _, p := range l.order() {
			if msg := l.fetch(ctx, p); msg != nil {
				return msg, nil
			}
		}
		select {
		case <-l.bell:
			wait = firstRecheck
		case <-time.After(wait):
			wait = min(2*wait, pollInterval)
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

// fetch returns a job of one lane, or nil if there is none or the queue is not to be had: next asks again.
func (l *lanes) fetch(ctx context.Context, p events.Priority) jetstream.Msg {
	if ctx.Err() != nil {
		return nil
	}
	var msg jetstream.Msg
	batch, err := l.consumers[p].FetchNoWait(1)
	if err == nil {
		msg = <-batch.Messages()
		err = batch.Error()
	}
	l.note(err)
	if msg == nil {
		return nil
	}
	if p == events.Urgent {
		l.urgent++
	} else {
		l.urgent = 0
	}
	return msg
}

// note logs when the queue stops answering and when it answers again: to a worker it looks empty meanwhile.
func (l *lanes) note(err error) {
	switch {
	case err != nil && !l.deaf:
		l.log.Warn("the queue does not answer; asking again", "err", err)
	case err == nil && l.deaf:
		l.log.Info("the queue answers again")
	}
	l.deaf = err != nil
}
