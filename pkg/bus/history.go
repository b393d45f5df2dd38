package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

const (
	// historyBatch and historyBytes bound what is asked for at once.
	historyBatch = 256
	historyBytes = 1 << 20
	// historyPatience bounds how long the server may take to send what it was asked for.
	historyPatience = 5 * time.Second
)

// EveryEvent is a subject for [Events.History] that matches every event. The server finds them several times faster by it
// than by [events.EventSubjects].
const EveryEvent = ">"

// Stored is an event as it lies in the history.
type Stored struct {
	Sequence uint64 // its place among the events of all jobs
	subject  string
	data     []byte
}

// Event decodes the event. It fails as [events.Decode] does, and for one that lies under a subject which is not its own.
func (s Stored) Event() (events.Event, error) {
	e, err := events.Decode(s.data)
	if err != nil {
		return events.Event{}, err
	}
	if e.Subject() != s.subject { // who may write of one job may not write of another
		return events.Event{}, fmt.Errorf("an event of %s lies under %s", e.Subject(), s.subject)
	}
	return e, nil
}

// LastSequence returns the sequence of the last event that was stored, or 0. It fails with [ErrUnavailable] when the
// stream does not answer.
func (s *Events) LastSequence(ctx context.Context) (uint64, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the end of the history: %w", unavailable(err))
	}
	return info.State.LastSeq, nil
}

// History returns the events under a subject, which may have wildcards, from a sequence on to the end, in order. It ends
// with an error if it breaks off earlier: with [ErrUnavailable] when the stream does not answer.
func (s *Events) History(ctx context.Context, subject string, from uint64) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for more := true; more; {
			var batch []Stored
			var err error
			batch, more, err = s.batch(ctx, subject, from)
			if err == nil && !more {
				batch, more, err = s.beyond(ctx, subject, from, batch)
			}
			if err != nil {
				yield(Stored{}, fmt.Errorf("reading the history under %s: %w", subject, unavailable(err)))
				return
			}
			for _, stored := range batch {
				if !yield(stored, nil) {
					return
				}
				from = stored.Sequence + 1
			}
		}
	}
}

// beyond adds to a last batch what follows it, if there is more: the copy that was asked may have been behind. It reports
// whether there may be still more.
func (s *Events) beyond(ctx context.Context, subject string, from uint64, last []Stored) (all []Stored, more bool, err error) {
	if len(last) > 0 {
		from = last[len(last)-1].Sequence + 1
	}
	next, err := askLeader(ctx, s.js.Conn(), EventsStream, lookup{From: max(from, 1), Next: subject})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return last, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return append(last, Stored{Sequence: next.Sequence, subject: next.Subject, data: next.Data}), true, nil
}

// batch reads some events, and reports whether there are more.
func (s *Events) batch(ctx context.Context, subject string, from uint64) (batch []Stored, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	return readBatch(ctx, s.js.Conn(), EventsStream, batchRequest{
		From: max(from, 1), Subject: subject, Messages: historyBatch, Bytes: historyBytes,
	})
}
