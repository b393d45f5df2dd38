package ingester

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// errEnough ends the reading of a slow source that has sent something.
var errEnough = errors.New("what has come is enough")

// minPart is how much of a part is made room for at first, in bytes.
const minPart = 64 << 10

// part is the text at the start of a file.
type part struct {
	text     []byte
	complete bool // it is all of the file
	slow     bool // it is what has come in time
}

// readPart reads the start of a file. Its stop ends ctx, in which the file comes.
func (p *previewer) readPart(ctx context.Context, stop context.CancelCauseFunc, file io.Reader) (part, error) {
	var found part
	for len(found.text) < p.bounds.PartBytes {
		room := max(len(found.text), minPart)
		found.text = slices.Grow(found.text, min(room, p.bounds.PartBytes-len(found.text)))
		n, err := file.Read(found.text[len(found.text):min(cap(found.text), p.bounds.PartBytes)])
		if n > 0 && len(found.text) == 0 {
			defer time.AfterFunc(p.bounds.PartTime, func() { stop(errEnough) }).Stop()
		}
		found.text = found.text[:len(found.text)+n]
		switch {
		case err == io.EOF:
			found.complete = true
			return found, nil
		case err != nil && errors.Is(context.Cause(ctx), errEnough):
			found.slow = true
			return found, nil
		case err != nil:
			return part{}, err
		}
	}
	return found, nil
}

// open returns the text as a source that fails with [csv.ErrCut] where the file goes on.
func (p part) open() io.Reader {
	if p.complete {
		return bytes.NewReader(p.text)
	}
	return io.MultiReader(bytes.NewReader(p.text), cutOff{})
}

type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, csv.ErrCut }

// tooShort is the failure where not even the header, or the first row, is whole.
func (p part) tooShort() *events.Failure {
	if p.slow {
		return events.Failf(events.CodeSourceStalled,
			"the source is slow: the %d bytes that it has sent in time hold no whole row; load it, which waits longer, or check its server",
			len(p.text))
	}
	return events.Failf(events.CodeRowTooLong,
		"no row ends within the first %d bytes, which is what a preview reads; check the line ends, the quotes and skip_rows", len(p.text))
}
