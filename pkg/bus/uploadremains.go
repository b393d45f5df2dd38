package bus

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Remains are what lies in the store without being an upload: chunks whose upload was not completed, or was removed, and the
// mark of a removed one.
type Remains struct {
	ID      string
	Chunks  int
	Removed bool      // whether there is a mark
	At      time.Time // of the mark, or else of the last chunk, by the server's clock
}

// Stock is what lies in the store at a time, in no particular order.
type Stock struct {
	At      time.Time // by the server's clock
	Uploads []Upload
	Remains []Remains
}

// All returns everything that is in the store. It fails with [ErrUnavailable] when that does not answer.
func (s *Uploads) All(ctx context.Context) (Stock, error) {
	info, err := s.stream.Info(ctx, jetstream.WithSubjectFilter("$O."+UploadsBucket+".>"))
	if err != nil {
		return Stock{}, fmt.Errorf("listing the uploads: %w", unavailable(err))
	}
	stock := Stock{At: info.TimeStamp}
	for id, chunks := range contentOf(info.State.Subjects) {
		u, removed, err := s.read(ctx, id)
		switch {
		case err == nil && !removed:
			stock.Uploads = append(stock.Uploads, u)
		case err == nil:
			stock.Remains = append(stock.Remains, Remains{ID: id, Chunks: chunks, Removed: true, At: u.ReservedAt})
		case errors.Is(err, ErrUploadNotFound) && chunks > 0:
			last, err := askLeader(ctx, s.conn, UploadsStream, lookup{Last: chunkSubject(id)})
			if errors.Is(err, jetstream.ErrMsgNotFound) { // it was cleared away meanwhile
				continue
			}
			if err != nil {
				return Stock{}, fmt.Errorf("listing the uploads: %w", unavailable(err))
			}
			stock.Remains = append(stock.Remains, Remains{ID: id, Chunks: chunks, At: last.Time})
		case !errors.Is(err, ErrUploadNotFound):
			return Stock{}, fmt.Errorf("listing the uploads: %w", err)
		}
	}
	return stock, nil
}

// contentOf returns the ids of what lies in the store, with the number of chunks of each.
func contentOf(subjects map[string]uint64) map[string]int {
	content := make(map[string]int, len(subjects))
	for subject, count := range subjects {
		if id, found := strings.CutPrefix(subject, chunkSubject("")); found && isUploadID(id) {
			content[id] += int(count) //nolint:gosec // a count
		}
		name, found := strings.CutPrefix(subject, objectPrefix)
		id, err := base64.URLEncoding.DecodeString(name)
		if found && err == nil && isUploadID(string(id)) {
			content[string(id)] += 0
		}
	}
	return content
}

// Clear deletes what remains of an upload, and fails with [ErrConflict] if that was completed meanwhile. The mark of one that
// was removed it leaves while there are chunks, and puts one in the place of one that was not completed: whoever stores
// that may yet be at work, and is then not to complete it.
func (s *Uploads) Clear(ctx context.Context, what Remains) error {
	if what.Removed && what.Chunks == 0 {
		return s.purge(ctx, objectSubject(what.ID))
	}
	if !what.Removed {
		u := Upload{ID: what.ID}
		if err := s.replace(ctx, u, u.removal()); err != nil {
			return err
		}
	}
	return s.purge(ctx, chunkSubject(what.ID))
}
