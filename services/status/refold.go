package status

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// Refold folds all of EVENTS into documents anew, by the ids of their jobs. It keeps the documents in memory, and of the
// events only those that answer something in them.
//
// Once the fold has caught up, a document in the bucket knows all that its refold knows. It may know more, since the
// history forgets: events older than [bus.EventsMaxAge], and of one type all but the latest 16 of a job. The latter takes
// away something only where the event that counts is not among the latest: started, if a run was begun again 16 times
// or more, and figures, if a worker that had lost its job told of it 16 times more after the owner's last word. And a
// document may be missing that retention has removed shortly before the last of its events.
func Refold(ctx context.Context, b *bus.Bus) (map[string]Document, error) {
	documents := make(map[string]Document)
	for m, err := range b.Events.All(ctx) {
		if err != nil {
			return nil, fmt.Errorf("folding the events anew: %w", err)
		}
		e, sequence, err := decodeMessage(m)
		if err != nil {
			continue // as the folder does, which has told of it
		}
		documents[e.JobID] = fold(documents[e.JobID], e, sequence)
	}
	return documents, nil
}

// Divergent returns the ids, in order, of the jobs whose document in the bucket is not the given one: another one, none,
// or one too many.
func Divergent(ctx context.Context, b *bus.Bus, documents map[string]Document) ([]string, error) {
	var ids []string
	met := make(map[string]bool)
	err := everyDocument(ctx, b, func(entry jetstream.KeyValueEntry) error {
		met[entry.Key()] = true
		data, err := json.Marshal(documents[entry.Key()])
		if err != nil {
			return fmt.Errorf("encoding the document of job %s: %w", entry.Key(), err)
		}
		if string(data) != string(entry.Value()) {
			ids = append(ids, entry.Key())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for id := range documents {
		if !met[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
