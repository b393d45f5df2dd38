package ingester

import (
	"errors"
	"slices"
	"sync"

	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// markSpacing is how far apart places are marked in bytes, and so what a later attempt reads once more.
const markSpacing = 64 << 10

// file is the job's file as it comes in. It tells how far it was read, and marks places for a later attempt.
type file struct {
	*source.Body
	report *reporter

	mu     sync.Mutex
	marks  []postgres.Mark // in order, those of the past but for the last one left out
	latest postgres.Mark   // of where the file was read to
}

// Read implements [io.Reader].
func (f *file) Read(p []byte) (int, error) {
	n, err := f.Body.Read(p)
	if errors.Is(err, source.ErrChanged) {
		return n, err // and the place is none of the file that was read before
	}
	mark := postgres.Mark{Offset: f.Offset(), Digest: f.Digest()}
	f.mu.Lock()
	f.latest = mark
	if last := len(f.marks) - 1; last < 0 || mark.Offset-f.marks[last].Offset >= markSpacing {
		f.marks = append(f.marks, mark)
	}
	f.mu.Unlock()
	f.tell(f.Sent())
	return n, err
}

func (f *file) tell(sent int64) {
	f.report.update(func(now *events.Figures) { now.Bytes = max(now.Bytes, sent) })
}

// marksAround returns the latest mark at or before a byte offset, which grows from call to call, if there is one, and that of
// where the file was read to.
func (f *file) marksAround(offset int64) (before, behind postgres.Mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	passed := 0
	for passed < len(f.marks) && f.marks[passed].Offset <= offset {
		before = f.marks[passed]
		passed++
	}
	f.marks = slices.Delete(f.marks, 0, max(passed-1, 0))
	return before, f.latest
}
