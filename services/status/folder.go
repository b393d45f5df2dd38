package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const (
	// maxFoldBatch bounds how many events are folded before their documents are written.
	maxFoldBatch = 256
	// pullLife and pullHeartbeat bound how long a request for events that the server has lost is waited for.
	pullLife      = 10 * time.Second
	pullHeartbeat = time.Second
)

// errFoldGone ends a replica that is handed no events any more.
var errFoldGone = fmt.Errorf("consuming events: consumer %s of stream %s is gone, or the connection is closed; "+
	"`sluice setup` makes what is missing", bus.FoldConsumer, bus.EventsStream)

// folder reads EVENTS and folds them into documents.
type folder struct {
	consumer jetstream.Consumer
	store    store
	log      *slog.Logger
}

// run folds until ctx ends. What it could not write is delivered again, to it or to another replica.
func (f *folder) run(ctx context.Context) error {
	messages, trouble := make(chan jetstream.Msg, maxFoldBatch), make(chan struct{}, 1)
	consuming, err := f.consumer.Consume(func(m jetstream.Msg) {
		select {
		case messages <- m:
		case <-ctx.Done():
		}
	}, jetstream.PullMaxMessages(maxFoldBatch), jetstream.PullExpiry(pullLife), jetstream.PullHeartbeat(pullHeartbeat),
		jetstream.ConsumeErrHandler(func(jetstream.ConsumeContext, error) {
			select {
			case trouble <- struct{}{}:
			default: // it is known already
			}
		}))
	if err != nil {
		return fmt.Errorf("consuming events: %w", err)
	}
	defer consuming.Stop()
	ended := consuming.Closed()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ended: // outages do not end it
			return errFoldGone
		case <-trouble: // most often an outage; a consumer that was deleted between two pulls would be asked for ever
			if _, err := f.consumer.Info(ctx); errors.Is(err, jetstream.ErrConsumerNotFound) {
				return errFoldGone
			}
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
	switch {
	case err != nil:
		return events.Event{}, 0, err
	case m.Subject() != e.Subject(): // who may write of one job may not write of another
		return events.Event{}, 0, fmt.Errorf("it is of %s, which is another subject", e.Subject())
	case !validID(e.JobID):
		return events.Event{}, 0, fmt.Errorf("%q cannot be the id of a job", e.JobID)
	}
	return e, meta.Sequence.Stream, nil
}
