package api

import (
	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// viewEvent is an event in the API's words. What only Sluice's own processes need, such as a sealed source, is left out.
func viewEvent(sequence uint64, e events.Event) openapi.Event {
	view := openapi.Event{
		Sequence: int64(sequence), //nolint:gosec // EVENTS will not live to see the difference
		ID:       e.ID, JobID: e.JobID, Type: string(e.Type), Run: e.Run, Attempt: e.Attempt, At: e.At, By: e.By,
	}
	switch data := e.Data.(type) {
	case events.Started:
		view.Worker = optional(data.Worker)
	case events.Progress:
		view.Progress = viewFigures(events.StateRunning, data.Figures)
	case events.Retrying:
		view.Progress = viewFigures(events.StateRetrying, data.Figures)
		view.Error = viewFailure(data.Failure)
		view.NextAttemptAt = &data.NextAttemptAt
	case events.Succeeded:
		view.Progress = viewFigures(events.StateSucceeded, data.Figures)
		view.Table, view.Rows = &data.Result.Table, &data.Result.Rows
	case events.Failed:
		view.Progress = viewFigures(events.StateFailed, data.Figures)
		view.Error = viewFailure(&data.Failure)
	case events.Cancelled:
		view.Progress = viewFigures(events.StateCancelled, data.Figures)
	}
	return view
}

func viewFigures(state events.State, f events.Figures) *openapi.Progress {
	p := viewProgress(events.Status{State: state, Figures: f})
	return &p
}
