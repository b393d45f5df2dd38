package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// uploadChunk is how many bytes of an upload lie in one message: few enough for the server's limit of 1 MiB, and as many as
	// pay for syncing each one to disk.
	uploadChunk = 512 << 10
	// chunksInFlight bounds how many chunks of all uploads of this process the server may have to store at a time.
	chunksInFlight = 16
	// chunkPatience bounds how long it may take to store one.
	chunkPatience = 20 * time.Second
	// undoPatience bounds how long it may take to clear away an upload that failed.
	undoPatience = 30 * time.Second
)

// errDisorder says that chunks do not lie in the order in which they were sent.
var errDisorder = fmt.Errorf("%w: chunks were not stored in their order", ErrUnavailable)

// Put stores what is read from body to its end. Of the body no more than a chunk is in memory, and a few are on their way to the
// server, whichever of the two is slower. There is an upload once Put returns it; if Put fails, nothing is left of it.
//
// It fails with what body fails with, with [ErrUploadEmpty], and with [ErrUnavailable] when the store does not answer or has
// no room. If it can then not clear away what it has stored, that is among the [Uploads.Remains].
func (s *Uploads) Put(ctx context.Context, name, mediaType string, body io.Reader) (Upload, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Upload{}, fmt.Errorf("making an upload's id: %w", err)
	}
	u := Upload{ID: id.String(), Name: name, MediaType: mediaType}
	f := &flight{}
	if err := s.store(ctx, &u, f, body); err != nil {
		return Upload{}, errors.Join(fmt.Errorf("storing upload %s: %w", u.ID, err), s.undo(ctx, u.ID, f))
	}
	return u, nil
}

// store stores all chunks, and when each of them is stored what the upload is.
func (s *Uploads) store(ctx context.Context, u *Upload, f *flight, body io.Reader) error {
	chunk, hash := make([]byte, uploadChunk), sha256.New()
	for more := true; more; {
		n, err := fill(chunk, body)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading it: %w", err)
		}
		more = err == nil
		if n == 0 {
			break
		}
		hash.Write(chunk[:n])
		u.Bytes, u.chunks = u.Bytes+int64(n), u.chunks+1
		if err := s.send(ctx, u.ID, f, chunk[:n]); err != nil {
			return err
		}
	}
	if u.chunks == 0 {
		return ErrUploadEmpty
	}
	if err := f.land(ctx, true); err != nil {
		return err
	}
	u.SHA256, u.At = hex.EncodeToString(hash.Sum(nil)), time.Now().UTC()
	u.ReservedAt = u.At
	object, err := u.object()
	if err != nil {
		return err
	}
	err = s.replace(ctx, *u, object)
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("%w: it has taken so long that it was given up: %w", ErrUnavailable, err)
	}
	return err
}

// fill reads until p is full or the reader fails. Unlike that of [io.ReadFull] its error tells a body that ends from one that
// breaks off with [io.ErrUnexpectedEOF].
func fill(p []byte, from io.Reader) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = from.Read(p[n:])
		n += more
	}
	return n, err
}

// send sends a chunk on its way, as soon as not too many are. The client has copied it when send returns.
func (s *Uploads) send(ctx context.Context, id string, f *flight, chunk []byte) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	msg := &nats.Msg{Subject: chunkSubject(id), Data: chunk}
	// Without another try: it would come behind the chunks that follow.
	future, err := s.js.PublishMsgAsync(msg, jetstream.WithRetryAttempts(0))
	if err != nil {
		<-s.slots
		return unavailable(err)
	}
	f.futures = append(f.futures, future)
	return f.land(ctx, false)
}

// undo clears away what was stored of an upload that failed, also when who wanted it has gone.
func (s *Uploads) undo(ctx context.Context, id string, f *flight) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoPatience)
	defer cancel()
	f.settle(ctx) // what is still on its way would be stored behind the purge
	if err := s.purge(ctx, objectSubject(id)); err != nil {
		return err
	}
	return s.purge(ctx, chunkSubject(id))
}

// flight is the chunks of an upload of which it is not known yet whether they are stored, in their order.
type flight struct {
	futures []jetstream.PubAckFuture
	last    uint64 // the sequence of the last one before them
}

// land takes in what is known to be stored; with wait, all of it.
func (f *flight) land(ctx context.Context, wait bool) error {
	enough := make(chan struct{})
	if !wait {
		close(enough)
	}
	for len(f.futures) > 0 {
		first := f.futures[0]
		select {
		case ack := <-first.Ok():
			f.futures = f.futures[1:]
			if ack.Sequence <= f.last {
				return errDisorder
			}
			f.last = ack.Sequence
		case err := <-first.Err():
			f.futures = f.futures[1:]
			return unavailable(err)
		case <-ctx.Done():
			return unavailable(ctx.Err())
		case <-enough:
			return nil
		}
	}
	return nil
}

// settle waits until nothing is on its way any more.
func (f *flight) settle(ctx context.Context) {
	for len(f.futures) > 0 && ctx.Err() == nil {
		_ = f.land(ctx, true) // what has failed is not on its way
	}
}
