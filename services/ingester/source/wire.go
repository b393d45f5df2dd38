package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"sluice/pkg/events"
)

// Why a trip ended, other than by its caller's context.
var (
	errStalled = errors.New("stalled")
	errClosed  = errors.New("closed")
)

// wire is a file's bytes as they come, before they are decompressed, within the limits and with errors for users.
type wire struct {
	about
	ctx     context.Context // the caller's
	trip    context.Context // a child of ctx, in which the bytes come
	end     context.CancelCauseFunc
	content rawContent
	stream  io.Reader // content, watched for stalls
	limits  Limits
	offset  int64              // in the file, of the next byte
	told    func(offset int64) // after each read
	err     error              // what every further Read returns
}

func newWire(ctx, trip context.Context, end context.CancelCauseFunc, file *answered, limits Limits) *wire {
	stalled := func() { end(errStalled) } // closes what brings the bytes, so that a waiting Read returns
	return &wire{
		about: file.about, ctx: ctx, trip: trip, end: end, content: file.content, limits: limits, offset: file.start,
		told:   func(int64) {},
		stream: newStallReader(file.content, limits.StallWindow, limits.StallRate, stalled),
	}
}

// Read returns io.EOF only after the whole file, ErrChanged where there is more than that, and else as [Body.Read] does.
func (w *wire) Read(p []byte) (int, error) {
	if w.err == nil && w.trip.Err() != nil { // of which a file of a folder knows nothing
		w.err = w.explain(w.trip.Err())
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.stream.Read(p)
	if over := w.offset + int64(n) - w.limits.Size; over > 0 {
		n -= int(over)
		w.err = tooLarge(w.at, w.limits.Size)
	}
	w.offset += int64(n)
	w.told(w.offset)
	switch {
	case w.err != nil:
	case w.size >= 0 && w.offset > w.size:
		n, w.err = 0, fmt.Errorf("%w: it goes on behind its %d bytes", ErrChanged, w.size)
	case err != nil:
		w.err = w.explain(err)
	}
	return n, w.err
}

func (w *wire) Close() error {
	w.end(errClosed)
	return w.content.Close()
}

// explain says why reading ended: by us, if the trip did, else by the origin.
func (w *wire) explain(err error) error {
	if err == io.EOF && w.offset >= w.size { //nolint:errorlint // a wrapped one is not the end
		return io.EOF
	}
	switch cause := context.Cause(w.trip); {
	case cause == nil:
		return w.content.broke(err, w.at, w.progress())
	case errors.Is(cause, errStalled):
		return events.Failf(events.CodeSourceStalled,
			"%s sent less than %s per second for %s and stopped at %s; check its server or try again later",
			w.at, formatBytes(w.limits.StallRate), w.limits.StallWindow, w.progress())
	case errors.Is(cause, errClosed):
		return fs.ErrClosed
	}
	return w.ctx.Err()
}

func (w *wire) progress() string {
	if w.size < 0 {
		return fmt.Sprintf("%d bytes of an unknown number", w.offset)
	}
	return fmt.Sprintf("%d of %d bytes", w.offset, w.size)
}
