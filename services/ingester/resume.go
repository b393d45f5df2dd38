package ingester

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// gapsOf is what there is to be loaded: the whole file, if nothing is kept.
func gapsOf(kept *postgres.Kept) []postgres.Gap {
	if kept == nil {
		return []postgres.Gap{{End: -1}}
	}
	return kept.Gaps
}

// sections are the parts of a file that are to be read, which comes read ahead.
type sections struct {
	*csv.Sections
	ahead *ahead
}

// await is like [ahead.await].
func (s sections) await(patience time.Duration) bool { return s.Ahead() > 0 || s.ahead.await(patience) }

// usable returns what earlier attempts have kept, if reading can be gone on with between two rows of such a file.
func usable(kept *postgres.Kept) *postgres.Kept {
	if kept == nil || !csv.Resumable(kept.Dialect) {
		return nil
	}
	return kept
}

// ask asks the source for the file, or for what is left of it.
func (a *attempt) ask(ctx context.Context, wanted source.Request, kept *postgres.Kept) (*source.Body, error) {
	if kept == nil {
		return a.parts.Source.Open(ctx, wanted)
	}
	was, err := keptValidator(kept)
	if err != nil {
		return nil, err
	}
	from, others := kept.From()
	point := source.Point{Offset: from.Offset, Digest: from.Digest, Was: was}
	for _, m := range others {
		point.Others = append(point.Others, source.Mark(m))
	}
	body, err := a.parts.Source.Resume(ctx, wanted, point)
	if err == nil && !body.Vouches(kept.Gaps[len(kept.Gaps)-1].Start) {
		_ = body.Close()
		return nil, fmt.Errorf("%w: nothing vouches for what is committed of it", source.ErrChanged)
	}
	return body, err
}

// recognise keeps by what the source will be known again: where its server could not prove that the file is the same, only
// by its bytes.
func recognise(ctx context.Context, load *postgres.Load, kept *postgres.Kept, body *source.Body) error {
	now, err := validatorOf(body)
	if err != nil || bytes.Equal(now, kept.Source) {
		return err
	}
	return load.Recognise(ctx, now)
}

func keptValidator(kept *postgres.Kept) (was source.Validator, err error) {
	if kept.Source == nil {
		return was, nil
	}
	if err := json.Unmarshal(kept.Source, &was); err != nil {
		return was, fmt.Errorf("decoding the source's validator: %w", err)
	}
	return was, nil
}

func isCompressed(kept *postgres.Kept) bool {
	was, err := keptValidator(kept)
	return err == nil && was.Compression != ""
}

func validatorOf(body *source.Body) (json.RawMessage, error) {
	validator, err := json.Marshal(body.Validator())
	if err != nil {
		return nil, fmt.Errorf("encoding the source's validator: %w", err)
	}
	return validator, nil
}

// figuresOf is how far a job is of which that is kept.
func figuresOf(kept *postgres.Kept) events.Figures {
	f := events.Figures{Phase: events.PhaseOpening}
	if kept != nil {
		f.Rows, f.Rejected = kept.Committed()
		if !isCompressed(kept) { // of which all is asked for again
			f.Bytes = kept.Gaps[0].Start
		}
	}
	return f
}

// resumption tells the reader of a gap how the file was read before, and how far it is.
func resumption(kept *postgres.Kept, gap postgres.Gap, now events.Figures) *csv.Resume {
	if kept == nil {
		return nil
	}
	rows, rejected := kept.Committed()
	return &csv.Resume{
		Columns: kept.Columns, Dialect: kept.Dialect, Offset: gap.Start, Line: gap.Line, End: max(gap.End, 0),
		Read: gap.Rows + now.Rows - rows, Rejected: gap.Rejected + now.Rejected - rejected, FirstBad: kept.FirstBad,
	}
}
