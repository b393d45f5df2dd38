package api

import (
	"encoding/json"
	"fmt"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// frame is an event in the form in which streams send it, made once for all of them.
type frame struct {
	sequence uint64
	jobID    string
	kind     events.Type
	run      int
	text     []byte
}

// newFrame fails for what a later Sluice may have written.
func newFrame(stored bus.Stored) (frame, error) {
	e, err := stored.Event()
	if err != nil {
		return frame{}, err
	}
	data, err := json.Marshal(viewEvent(stored.Sequence, e))
	if err != nil {
		return frame{}, fmt.Errorf("encoding event %s: %w", e.ID, err)
	}
	return frame{
		sequence: stored.Sequence, jobID: e.JobID, kind: e.Type, run: e.Run,
		text: fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", stored.Sequence, e.Type, data),
	}, nil
}
