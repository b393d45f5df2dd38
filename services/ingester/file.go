package ingester

import (
	"sync"

	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// file is the job's file as it comes in. It tells how far it was read, and marks that place for a later attempt.
type file struct {
	*source.Body
	report *reporter

	mu   sync.Mutex
	mark postgres.Mark
}

// Read implements [io.Reader].
func (f *file) Read(p []byte) (int, error) {
	n, err := f.Body.Read(p)
	mark := postgres.Mark{Offset: f.Offset(), Digest: f.Digest()}
	f.mu.Lock()
	f.mark = mark
	f.mu.Unlock()
	f.report.update(func(now *events.Figures) { now.Bytes = max(now.Bytes, mark.Offset) })
	return n, err
}

// latestMark is the mark of where the file was read to.
func (f *file) latestMark() postgres.Mark {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mark
}
