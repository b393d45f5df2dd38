package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/bus"
)

// idPattern is what may be a key of a bucket and one token of a subject.
var idPattern = regexp.MustCompile(`^[-/_=a-zA-Z0-9]+$`)

// validID reports whether a job can have the id.
func validID(jobID string) bool { return idPattern.MatchString(jobID) }

// store keeps the documents in their bucket.
type store struct{ kv jetstream.KeyValue }

// get returns a job's document and its revision, or false if there is none.
func (s store) get(ctx context.Context, jobID string) (Document, uint64, bool, error) {
	entry, err := s.kv.Get(ctx, jobID)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Document{}, 0, false, nil
	}
	if err != nil {
		return Document{}, 0, false, fmt.Errorf("reading the document of job %s: %w", jobID, err)
	}
	d, err := decodeDocument(entry)
	return d, entry.Revision(), err == nil, err
}

// merge joins what is news into a job's document. Replicas may merge into the same document at once.
func (s store) merge(ctx context.Context, jobID string, news Document) error {
	_, _, err := s.mergeIf(ctx, jobID, news, func(Document, bool, Document) bool { return true })
	return err
}

// mergeIf is merge, unless the new document is not wanted, given the old one and whether that is in the bucket. It returns
// the new document, and whether it has been written.
func (s store) mergeIf(
	ctx context.Context, jobID string, news Document, wanted func(old Document, found bool, next Document) bool,
) (Document, bool, error) {
	for {
		old, revision, found, err := s.get(ctx, jobID)
		if err != nil {
			return Document{}, false, err
		}
		next := join(old, news)
		before, after, err := encodedBoth(jobID, old, next)
		if err != nil {
			return Document{}, false, err
		}
		if found && string(before) == string(after) || !wanted(old, found, next) {
			return next, false, nil
		}
		if found {
			_, err = s.kv.Update(ctx, jobID, after, revision)
		} else {
			_, err = s.kv.Create(ctx, jobID, after)
		}
		if bus.Conflict(err) {
			continue // another replica was faster: join with what it wrote
		}
		if err != nil {
			return Document{}, false, fmt.Errorf("writing the document of job %s: %w", jobID, err)
		}
		return next, true, nil
	}
}

func encodedBoth(jobID string, old, next Document) (before, after []byte, err error) {
	if before, err = json.Marshal(old); err == nil {
		after, err = json.Marshal(next)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the document of job %s: %w", jobID, err)
	}
	return before, after, nil
}

func decodeDocument(entry jetstream.KeyValueEntry) (Document, error) {
	var d Document
	if err := json.Unmarshal(entry.Value(), &d); err != nil {
		return Document{}, fmt.Errorf("decoding the document of job %s: %w", entry.Key(), err)
	}
	return d, nil
}
