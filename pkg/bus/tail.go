package bus

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// tailHeartbeat is how often the server says that there is nothing new; it is missed after twice that.
	tailHeartbeat = time.Second
	// tailBatch is how many events are asked for ahead.
	tailBatch = 256
)

// Tail calls take for each event that is stored from now on, in order and once, until ctx ends. It calls begun with the
// sequence behind which it tells all of them, and with the last that is stored: at first, and after each outage, from which it
// goes on where it was. A last one that is lower than one that was stored before says that the history has been restored from
// an older copy.
//
// It does so by one consumer, whose name begins with the given one. That is replaced after each reconnection: what the
// server had sent before may be lost, and a restarted server has forgotten the consumer. The client's own ordered
// consumer would forget where it began if that happens before its first event, and waits up to 10 s.
func (s *Events) Tail(ctx context.Context, name string, begun func(after, stored uint64), take func(Stored)) {
	reconnected := s.js.Conn().StatusChanged(nats.CONNECTED)
	defer s.js.Conn().RemoveStatusListener(reconnected)
	pause := time.NewTicker(watchAgainAfter)
	defer pause.Stop()
	t := tail{events: s, name: name, take: take}
	for ctx.Err() == nil {
		for len(reconnected) > 0 { // what begins now knows of these
			<-reconnected
		}
		if messages, stored, err := t.begin(ctx); err == nil {
			begun(t.told, stored)
			t.forward(ctx, reconnected, messages)
			messages.Stop()
		}
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

type tail struct {
	events *Events
	name   string
	take   func(Stored)
	placed bool   // whether told is known
	told   uint64 // the last sequence that was told, or that was stored before the beginning
}

func (t *tail) begin(ctx context.Context) (messages jetstream.MessagesContext, stored uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	stored, err = t.events.LastSequence(ctx)
	if err != nil {
		return nil, 0, err
	}
	if !t.placed || stored < t.told {
		t.placed, t.told = true, stored
	}
	consumer, err := t.events.stream.CreateConsumer(ctx, tailConsumer(t.name+"-"+rand.Text(), t.told+1))
	if err != nil {
		return nil, 0, err
	}
	messages, err = consumer.Messages(jetstream.PullMaxMessages(tailBatch), jetstream.PullHeartbeat(tailHeartbeat))
	return messages, stored, err
}

// forward returns when the consumer has to be replaced, or ctx ends.
func (t *tail) forward(ctx context.Context, reconnected <-chan nats.Status, messages jetstream.MessagesContext) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-reconnected:
			cancel()
		case <-ctx.Done():
		}
	}()
	for delivered := uint64(0); ; delivered++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return
		}
		meta, err := msg.Metadata()
		if err != nil || meta.Sequence.Consumer != delivered+1 { // one was lost on the way
			return
		}
		t.told = meta.Sequence.Stream
		t.take(Stored{Sequence: t.told, subject: msg.Subject(), data: msg.Data()})
	}
}
