package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"

	"sluice/pkg/events"
)

// Why a trip ended, other than by its caller's context.
var (
	errStalled = errors.New("stalled")
	errClosed  = errors.New("closed")
)

// Body is the content of a file as it comes in. It is for one reader at a time; only Close may be called meanwhile.
type Body struct {
	ctx     context.Context // the caller's
	trip    context.Context // the request's, a child of ctx
	end     context.CancelCauseFunc
	wire    io.ReadCloser
	stream  io.Reader // wire, watched for stalls
	at      target
	name    string
	charset string
	size    int64 // of the whole file; negative if unknown
	framed  bool
	limits  Limits

	validator Validator
	proven    bool   // by the validator to be the file of an earlier attempt
	marks     []mark // of that attempt, ahead of offset
	covered   int64  // the offset of its last mark

	hash   hash.Hash // of the bytes before offset
	offset int64
	err    error // what every further Read returns
}

func newBody(ctx, trip context.Context, end context.CancelCauseFunc, resp *http.Response, at target, name string,
	limits Limits,
) *Body {
	stalled := func() { end(errStalled) } // closes the connection, so that a waiting Read returns
	size, framed := extent(resp)
	return &Body{
		ctx: ctx, trip: trip, end: end, wire: resp.Body,
		stream: newStallReader(resp.Body, limits.StallWindow, limits.StallRate, stalled),
		at:     at, name: name, charset: charset(resp), size: size, framed: framed, limits: limits,
		validator: validatorOf(resp, at, size), hash: sha256.New(),
	}
}

// Size returns the length in bytes of the whole file that the server announced (RFC 9110, section 8.6), false if it did
// not.
func (b *Body) Size() (int64, bool) { return max(b.size, 0), b.size >= 0 }

// LengthVerified reports whether the server marks the file's end, by an announced length or by chunks. Where only the end
// of the connection does (RFC 9112, section 6.3, rule 8), a file that was cut off looks complete.
func (b *Body) LengthVerified() bool { return b.framed }

// Name returns the file's name, for people to read: the last path segment of the requested URL, unescaped and without
// what would be unsafe in a name; "" if there is none.
func (b *Body) Name() string { return b.name }

// Charset returns the label of the character encoding that the server announced (RFC 9110, section 8.3.2), or "" if it did
// not.
func (b *Body) Charset() string { return b.charset }

// Validator returns what this version of the file is recognised by. A resumed body has the one it was resumed with, or none
// if that proved nothing; it replaces the one kept, before anything read from this body is kept.
func (b *Body) Validator() Validator { return b.validator }

// Offset returns the place in the file of the next byte that Read returns.
func (b *Body) Offset() int64 { return b.offset }

// Checksum returns "sha256:" and the hex digest of all bytes before Offset; at io.EOF it is the file's.
func (b *Body) Checksum() string { return "sha256:" + hex.EncodeToString(b.hash.Sum(nil)) }

// Read reads the file. Its errors are io.EOF only after the whole file, the context's error once that is done,
// fs.ErrClosed after Close, [ErrChanged] where the bytes are not those that the body was resumed for, and otherwise an
// [*events.Failure].
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.stream.Read(b.untilMark(p))
	if over := b.offset + int64(n) - b.limits.Size; over > 0 {
		n -= int(over)
		b.err = tooLarge(b.at, b.limits.Size)
	}
	b.offset += int64(n)
	b.hash.Write(p[:n])
	if changed := b.pass(); changed != nil {
		n, b.err = 0, changed
	}
	if err != nil && b.err == nil {
		b.err = b.explain(err)
	}
	return n, b.err
}

// Close ends the transfer. It is needed even after an error.
func (b *Body) Close() error {
	b.end(errClosed)
	return b.wire.Close()
}

// explain says why reading ended: by us, if the trip did, else by the server.
func (b *Body) explain(err error) error {
	if err == io.EOF && b.offset >= b.size { //nolint:errorlint // a wrapped one is not the end
		return b.ended()
	}
	switch cause := context.Cause(b.trip); {
	case cause == nil:
		return events.Failf(events.CodeSourceTruncated,
			"%s broke off after %s; check its server or try again later", b.at, b.progress())
	case errors.Is(cause, errStalled):
		return events.Failf(events.CodeSourceStalled,
			"%s sent less than %s per second for %s and stopped at %s; check its server or try again later",
			b.at, formatBytes(b.limits.StallRate), b.limits.StallWindow, b.progress())
	case errors.Is(cause, errClosed):
		return fs.ErrClosed
	}
	return b.ctx.Err()
}

func (b *Body) progress() string {
	if b.size < 0 {
		return fmt.Sprintf("%d bytes of an unknown number", b.offset)
	}
	return fmt.Sprintf("%d of %d bytes", b.offset, b.size)
}
