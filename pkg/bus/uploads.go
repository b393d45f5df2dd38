package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors of uploads on which callers decide.
var (
	// ErrUploadNotFound says that there is no such upload, or none any more.
	ErrUploadNotFound = errors.New("no such upload")
	// ErrUploadEmpty says that there was nothing to be stored.
	ErrUploadEmpty = errors.New("the upload is empty")
	// ErrUploadReserved says that an upload was reserved for as many jobs as it can be.
	ErrUploadReserved = errors.New("reserved for too many jobs")
	// ErrUploadDamaged says that what is stored of an upload is not what was uploaded.
	ErrUploadDamaged = errors.New("the upload is damaged")
)

const (
	// maxUploadJobs bounds for how many jobs an upload is reserved, which are named in one message.
	maxUploadJobs = 1000
	// purgeStep is how many chunks are purged at once: meanwhile the server does nothing else for the bucket.
	purgeStep = 256
	// purgePatience bounds how long one such step may take.
	purgePatience = 30 * time.Second
)

// Uploads is the store of the files that were uploaded. It is an object store; in it each upload is an object whose name is
// its id.
//
// An upload is reserved for a job before that is accepted, or run again, and is removed only by who has read for which jobs
// it is reserved, if it was not reserved meanwhile. So no accepted job is without its file.
type Uploads struct {
	conn   *nats.Conn
	js     jetstream.JetStream // whose asynchronous publishing is that of chunks
	stream jetstream.Stream
	slots  chan struct{} // holds one for each chunk on its way into the store
}

func bindUploads(ctx context.Context, nc *nats.Conn) (*Uploads, error) {
	s := &Uploads{conn: nc, slots: make(chan struct{}, chunksInFlight)}
	var err error
	s.js, err = jetstream.New(nc, jetstream.WithPublishAsyncTimeout(chunkPatience),
		jetstream.WithPublishAsyncAckHandler(func(jetstream.JetStream, *nats.Msg, *jetstream.PubAck) { <-s.slots }),
		jetstream.WithPublishAsyncErrHandler(func(jetstream.JetStream, *nats.Msg, error) { <-s.slots }))
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	if s.stream, err = s.js.Stream(ctx, UploadsStream); err != nil {
		return nil, bindError("bucket "+UploadsBucket, err)
	}
	return s, nil
}

// Info returns what is known of an upload. It fails with [ErrUploadNotFound], and with [ErrUnavailable] when the store does
// not answer.
func (s *Uploads) Info(ctx context.Context, id string) (Upload, error) {
	u, removed, err := s.read(ctx, id)
	if err == nil && removed {
		err = ErrUploadNotFound
	}
	if err != nil {
		return Upload{}, fmt.Errorf("reading upload %s: %w", id, err)
	}
	return u, nil
}

func (s *Uploads) read(ctx context.Context, id string) (u Upload, removed bool, err error) {
	if !isUploadID(id) {
		return Upload{}, false, ErrUploadNotFound
	}
	message, err := askLeader(ctx, s.conn, UploadsStream, lookup{Last: objectSubject(id)})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Upload{}, false, ErrUploadNotFound
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return Upload{}, false, fmt.Errorf("%w: %w: %w", ErrUnavailable, ErrNotSetUp, err)
	}
	if err != nil {
		return Upload{}, false, unavailable(err)
	}
	return decodeUpload(message)
}

// Reserve keeps an upload for a job that is about to be accepted, or run again. It fails with [ErrUploadNotFound], also if it
// was uploaded before a time, with [ErrUploadReserved], and with [ErrUnavailable].
func (s *Uploads) Reserve(ctx context.Context, id, jobID string, notBefore time.Time) error {
	for {
		u, err := s.Info(ctx, id)
		if err == nil && u.At.Before(notBefore) {
			err = fmt.Errorf("%w: it was uploaded at %s", ErrUploadNotFound, u.At)
		}
		if err == nil && !u.reservedFor(jobID) {
			u.Jobs = append(u.Jobs, jobID)
		}
		if len(u.Jobs) > maxUploadJobs {
			err = ErrUploadReserved
		}
		if err != nil {
			return fmt.Errorf("reserving upload %s: %w", id, err)
		}
		object, err := u.object()
		if err == nil { // also of one that is reserved already: who is about to remove it is to notice
			err = s.replace(ctx, u, object)
		}
		if err == nil || !errors.Is(err, ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
}

// Remove removes an upload if it is still as it was read. It fails with [ErrConflict] if it was reserved meanwhile, or removed.
// What it could not clear away when it fails with [ErrUnavailable] is among the [Uploads.Remains].
func (s *Uploads) Remove(ctx context.Context, u Upload) error {
	if err := s.replace(ctx, u, u.removal()); err != nil {
		return err
	}
	return s.purge(ctx, chunkSubject(u.ID))
}

// replace writes what an upload is to be if it is still as it was read, and fails with [ErrConflict] otherwise.
func (s *Uploads) replace(ctx context.Context, was Upload, object jetstream.ObjectInfo) error {
	data, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encoding upload %s: %w", was.ID, err)
	}
	msg := nats.NewMsg(objectSubject(was.ID))
	msg.Data = data
	msg.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	_, err = publish(ctx, s.js, msg, jetstream.WithExpectLastSequencePerSubject(was.revision))
	if Conflict(err) {
		return fmt.Errorf("writing upload %s: %w", was.ID, ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("writing upload %s: %w", was.ID, unavailable(err))
	}
	return nil
}

// purge deletes all that lies under a subject, a part at a time.
func (s *Uploads) purge(ctx context.Context, subject string) error {
	for {
		first, err := askLeader(ctx, s.conn, UploadsStream, lookup{From: 1, Next: subject})
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err == nil {
			err = s.purgeTo(ctx, subject, first.Sequence+purgeStep)
		}
		if err != nil {
			return fmt.Errorf("purging %s: %w", subject, unavailable(err))
		}
	}
}

func (s *Uploads) purgeTo(ctx context.Context, subject string, end uint64) error {
	ctx, cancel := context.WithTimeout(ctx, purgePatience)
	defer cancel()
	return s.stream.Purge(ctx, jetstream.WithPurgeSubject(subject), jetstream.WithPurgeSequence(end))
}
