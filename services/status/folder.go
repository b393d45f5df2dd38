package status

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// maxFoldBatch bounds how many events are folded before their documents are written.
const maxFoldBatch = 256

// folder reads EVENTS and folds them into documents.
type folder struct {
	consumer jetstream.Consumer
	store    store
	log      *slog.Logger
}

// run folds until ctx ends. What it could not write is delivered again, to it or to another replica.
func (f *folder) run(ctx context.Context) error {
	messages := make(chan jetstream.Msg, maxFoldBatch)
	consuming, err := f.consumer.Consume(func(m jetstream.Msg) {
		select {
		case messages <- m:
		case <-ctx.Done():
		}
	}, jetstream.PullMaxMessages(maxFoldBatch))
	if err != nil {
		return fmt.Errorf("consuming events: %w", err)
	}
	defer consuming.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-messages:
			f.fold(ctx, take(first, messages))
		}
	}
}

// take returns first and whatever else has come already.
func take(first jetstream.Msg, more <-chan jetstream.Msg) []jetstream.Msg {
	batch := []jetstream.Msg{first}
	for len(batch) < maxFoldBatch {
		select {
		case m := <-more:
			batch = append(batch, m)
		default:
			return batch
		}
	}
	return batch
}

// fold writes each job's document once for all of its events in the batch, and acknowledges them after the write.
func (f *folder) fold(ctx context.Context, batch []jetstream.Msg) {
	news := make(map[string]Document)
	from := make(map[string][]jetstream.Msg)
	for _, m := range batch {
		e, sequence, err := decodeMessage(m)
		if err != nil {
			f.log.Error("event skipped: it cannot be read", "subject", m.Subject(), "err", err)
			f.ack(m)
			continue
		}
		news[e.JobID] = fold(news[e.JobID], e, sequence)
		from[e.JobID] = append(from[e.JobID], m)
	}
	for jobID, d := range news {
		if err := f.store.merge(ctx, jobID, d); err != nil {
			f.log.Warn("events will be folded again", "job_id", jobID, "err", err)
			continue
		}
		for _, m := range from[jobID] {
			f.ack(m)
		}
	}
}

// ack may be lost without harm: folding an event again changes nothing.
func (f *folder) ack(m jetstream.Msg) {
	if err := m.Ack(); err != nil {
		f.log.Debug("event not acknowledged", "subject", m.Subject(), "err", err)
	}
}

func decodeMessage(m jetstream.Msg) (events.Event, uint64, error) {
	meta, err := m.Metadata()
	if err != nil {
		return events.Event{}, 0, fmt.Errorf("reading the message's metadata: %w", err)
	}
	e, err := events.Decode(m.Data())
	return e, meta.Sequence.Stream, err
}
