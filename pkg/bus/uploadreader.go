package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// chunksAtOnce bounds how many chunks are in memory of an upload that is read.
	chunksAtOnce = 4
	// readPatience bounds how long the store may take to send some.
	readPatience = 5 * time.Second
	// outagePatience bounds how long a reader waits for a store that does not answer.
	outagePatience = time.Minute
	// readAgainAfter is the pause before another try.
	readAgainAfter = 250 * time.Millisecond
)

// UploadReader reads an upload from its start to its end. It is for one goroutine, and may be closed by another one.
//
// It asks for a few chunks whenever it has none, so that nothing piles up for a slow reader and nothing is lost on it. Any copy of
// the stream may answer, as a chunk that is there is what it is everywhere; where a copy has no more, the leader is asked.
type UploadReader struct {
	Upload

	ctx   context.Context
	end   context.CancelFunc
	store *Uploads
	next  uint64   // from which sequence on the next chunk is
	sent  []Stored // chunks that are not read yet
	rest  []byte   // of the chunk that is read
	taken int      // chunks
	bytes int64    // of them
	hash  hash.Hash
	err   error // how it has ended
}

// Open returns a reader of an upload, which lasts until ctx ends or it is closed. It fails as [Uploads.Info] does.
func (s *Uploads) Open(ctx context.Context, id string) (*UploadReader, error) {
	u, err := s.Info(ctx, id)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	return &UploadReader{Upload: u, ctx: ctx, end: end, store: s, next: 1, hash: sha256.New()}, nil
}

// Read implements [io.Reader]. It returns [io.EOF] only if all of the upload was read and is what was uploaded. It fails with
// [ErrUploadNotFound] if the upload is removed meanwhile, with [ErrUploadDamaged], and with [ErrUnavailable] when the store
// has not answered for a minute.
func (r *UploadReader) Read(p []byte) (int, error) {
	if r.err == nil && r.ctx.Err() != nil {
		r.rest, r.err = nil, fmt.Errorf("reading upload %s: %w", r.ID, r.ctx.Err())
	}
	for len(r.rest) == 0 && r.err == nil {
		r.rest, r.err = r.chunk()
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements [io.Closer]. It never fails.
func (r *UploadReader) Close() error {
	r.end()
	return nil
}

// chunk returns the next chunk, or [io.EOF] behind the last one.
func (r *UploadReader) chunk() ([]byte, error) {
	if r.taken == r.chunks {
		return nil, r.verify()
	}
	if len(r.sent) == 0 {
		if err := r.fetchPatiently(); err != nil {
			return nil, fmt.Errorf("reading upload %s: %w", r.ID, err)
		}
	}
	chunk := r.sent[0]
	r.sent = r.sent[1:]
	r.next = chunk.Sequence + 1
	r.taken, r.bytes = r.taken+1, r.bytes+int64(len(chunk.data))
	r.hash.Write(chunk.data)
	return chunk.data, nil
}

func (r *UploadReader) verify() error {
	if r.bytes != r.Bytes || hex.EncodeToString(r.hash.Sum(nil)) != r.SHA256 {
		return fmt.Errorf("reading upload %s: %w: its digest differs", r.ID, ErrUploadDamaged)
	}
	return io.EOF
}

// fetchPatiently fetches chunks, and again while the store does not answer.
func (r *UploadReader) fetchPatiently() error {
	late := time.NewTimer(outagePatience)
	defer late.Stop()
	for {
		err := r.fetch()
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err == nil || !errors.Is(err, ErrUnavailable) {
			return err
		}
		select {
		case <-time.After(readAgainAfter):
		case <-late.C:
			return err
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
}

// fetch has some of the next chunks sent.
func (r *UploadReader) fetch() error {
	ctx, cancel := context.WithTimeout(r.ctx, readPatience)
	defer cancel()
	batch, _, err := readBatch(ctx, r.store.conn, UploadsStream, batchRequest{
		From: r.next, Subject: chunkSubject(r.ID), Messages: min(chunksAtOnce, r.chunks-r.taken),
	})
	if errors.Is(err, errIncomplete) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err == nil && len(batch) == 0 {
		batch, err = r.fetchFromLeader()
	}
	r.sent = batch
	return unavailable(err)
}

func (r *UploadReader) fetchFromLeader() ([]Stored, error) {
	message, err := askLeader(r.ctx, r.store.conn, UploadsStream, lookup{From: r.next, Next: chunkSubject(r.ID)})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		if _, err := r.store.Info(r.ctx, r.ID); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: it has %d chunks of %d", ErrUploadDamaged, r.taken, r.chunks)
	}
	if err != nil {
		return nil, err
	}
	return []Stored{{Sequence: message.Sequence, subject: message.Subject, data: message.Data}}, nil
}
