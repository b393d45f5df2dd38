package status

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// history folds all of EVENTS anew and merges what documents lack. Documents may be compared by parts of their history:
// one that has all parts has all of it.
func (r *reconciler) history(ctx context.Context) (done events.Reconciled, err error) {
	part := make(map[string]Document)
	for stored, err := range r.bus.Events.History(ctx, bus.EveryEvent, 1) {
		if err != nil {
			return done, fmt.Errorf("folding the events anew: %w", err)
		}
		e, err := stored.Event()
		if err != nil || !validID(e.JobID) {
			continue // the folder has told of it
		}
		part[e.JobID] = fold(part[e.JobID], e, stored.Sequence)
		if len(part) < r.part {
			continue
		}
		more, err := r.mergeBehind(ctx, part)
		done = sum(done, more)
		if err != nil {
			return done, err
		}
		clear(part)
	}
	more, err := r.mergeBehind(ctx, part)
	return sum(done, more), err
}

// mergeBehind merges refolded documents into those in the bucket that lack some of them.
func (r *reconciler) mergeBehind(ctx context.Context, refolded map[string]Document) (events.Reconciled, error) {
	behind := maps.Clone(refolded)
	err := everyDocument(ctx, r.bus, func(entry jetstream.KeyValueEntry) error {
		news, ok := behind[entry.Key()]
		if !ok {
			return nil
		}
		isBehind, err := lacks(entry, news)
		if err == nil && !isBehind {
			delete(behind, entry.Key())
		}
		return err
	})
	if err != nil {
		return events.Reconciled{}, err
	}
	jobs := slices.Collect(maps.Keys(behind))
	return each(ctx, jobs, func(ctx context.Context, jobID string) (events.Reconciled, error) {
		_, done, err := r.merge(ctx, jobID, behind[jobID])
		return done, err
	})
}

// lacks reports whether a document in the bucket does not know all that a refolded one knows.
func lacks(entry jetstream.KeyValueEntry, refolded Document) (bool, error) {
	same, err := json.Marshal(refolded)
	if err != nil {
		return false, fmt.Errorf("encoding the document of job %s: %w", entry.Key(), err)
	}
	if string(same) == string(entry.Value()) { // as it mostly is
		return false, nil
	}
	old, err := decodeDocument(entry)
	if err != nil {
		return false, err
	}
	before, after, err := encodedBoth(entry.Key(), old, join(old, refolded))
	return string(before) != string(after), err
}

func (r *reconciler) merge(ctx context.Context, jobID string, news Document) (Document, events.Reconciled, error) {
	d, written, err := r.store.mergeIf(ctx, jobID, news, r.wanted)
	if !written {
		return d, events.Reconciled{}, err
	}
	return d, events.Reconciled{Documents: 1}, nil
}

// catchUp merges the history of one job into its document, which it returns.
func (r *reconciler) catchUp(ctx context.Context, jobID string) (Document, events.Reconciled, error) {
	var news Document
	for stored, err := range r.bus.Events.History(ctx, events.JobEventSubjects(jobID), 1) {
		if err != nil {
			return Document{}, events.Reconciled{}, err
		}
		if e, err := stored.Event(); err == nil {
			news = fold(news, e, stored.Sequence)
		}
	}
	return r.merge(ctx, jobID, news)
}
