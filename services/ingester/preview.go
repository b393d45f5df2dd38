package ingester

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/source"
)

// Previews bounds what a worker does to tell how files would be read.
type Previews struct {
	Time      time.Duration // for one of them; below [settleTime]
	AtOnce    int           // at a time; others are refused
	PartBytes int           // of a file's text that is read
	PartTime  time.Duration // from the first byte on, after which what has come is enough
}

// DefaultPreviews returns the bounds for production.
func DefaultPreviews() Previews {
	return Previews{Time: 10 * time.Second, AtOnce: 4, PartBytes: 1 << 20, PartTime: 3 * time.Second}
}

// maxPreviewRows is how many rows a preview tells at most.
const maxPreviewRows = 100

// errBusy refuses a question that another time, or another ingester, may have room for.
var errBusy = errors.New("there is no room for another question of this kind now")

// previewer tells how files would be read.
type previewer struct {
	bounds Previews
	parts  Parts
	limits csv.Limits
	slots  chan struct{}
	log    *slog.Logger
}

func newPreviewer(config Config, parts Parts) *previewer {
	return &previewer{
		bounds: config.Previews, parts: parts, limits: config.Limits, slots: make(chan struct{}, config.Previews.AtOnce), log: config.Log,
	}
}

// preview tells how a job that infers types would read a file, by the first part of it. Whatever is wrong with the file is part
// of the answer.
func (p *previewer) preview(ctx context.Context, question events.Preview) (events.Previewed, error) {
	if !validID(question.ID) || question.Spec.Source.URL == "" {
		return events.Previewed{}, errInvalid
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		return events.Previewed{}, errBusy
	}
	bounded, cancel := context.WithTimeoutCause(ctx, p.bounds.Time, events.Failf(events.CodeSourceStalled,
		"the source has not sent enough of the file within %s; load it, which waits longer, or check its server", p.bounds.Time))
	defer cancel()
	found, err := p.lookSafely(bounded, question)
	switch {
	case err == nil:
		return found, nil
	case ctx.Err() != nil: // this ingester ends
		return events.Previewed{}, errBusy
	case bounded.Err() != nil:
		err = context.Cause(bounded)
	}
	failure, ok := errors.AsType[*events.Failure](err)
	if !ok {
		failure = asFailure(err)
		p.log.Warn("preview not made", "err", err)
	}
	return events.Previewed{Failure: failure}, nil
}

// lookSafely turns a panic into the failure of this one preview.
func (p *previewer) lookSafely(ctx context.Context, question events.Preview) (found events.Previewed, err error) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("panic in a preview", "err", r, "stack", string(debug.Stack()))
			err = events.Failf(events.CodeInternal, "the ingester met an error of its own while it looked at the file; please report it")
		}
	}()
	return p.look(ctx, question)
}

// look reads the first part of a file and describes it.
func (p *previewer) look(ctx context.Context, question events.Preview) (events.Previewed, error) {
	spec := question.Spec
	address, err := p.parts.address(question.ID, spec.Source)
	if err != nil {
		return events.Previewed{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	body, err := p.parts.Source.Open(ctx, source.Request{URL: address.URL, Headers: address.Headers, Member: spec.Source.Member})
	if err != nil {
		return events.Previewed{}, err
	}
	defer func() { _ = body.Close() }() // what is needed of it was read by then
	part, err := p.readPart(ctx, stop, body)
	if err != nil {
		return events.Previewed{}, err
	}
	sample, err := readSample(part, readingOf(spec, body, p.limits), min(max(question.Rows, 0), maxPreviewRows))
	if err != nil {
		return events.Previewed{}, suspect(body, err)
	}
	found := sample.described()
	found.Compression, found.Member = body.Compression(), body.Member()
	if size, known := body.Size(); known {
		found.TotalBytes = &size
	}
	if !body.LengthVerified() {
		found.Warnings = events.MergeWarnings(found.Warnings, []events.Warning{{Code: events.WarnLengthUnverified, Count: 1}})
	}
	return fitAnswer(found), nil
}
