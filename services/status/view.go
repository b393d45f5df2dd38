package status

import "sluice/pkg/events"

// state names how the job stands, or is empty while too little of it is known.
func (d Document) state() events.State {
	if d.Head == nil {
		return ""
	}
	switch d.Head.Type {
	case events.TypeSucceeded:
		return events.StateSucceeded
	case events.TypeFailed:
		return events.StateFailed
	case events.TypeCancelled:
		return events.StateCancelled
	}
	switch {
	case d.Cancel != nil && d.Cancel.Run == d.Head.Run:
		return events.StateCancelling
	case d.Head.Type == events.TypeStarted || d.Head.Type == events.TypeProgress:
		return events.StateRunning
	case d.Head.Type == events.TypeRetrying:
		return events.StateRetrying
	}
	return events.StateQueued
}

// known reports whether enough has been folded to show the job.
func (d Document) known() bool { return d.Origin != nil && d.Head != nil }

// over reports whether a run of the job has ended, or was followed by another one.
func (d Document) over(run int) bool {
	return d.known() && (d.Head.Run > run || d.Head.Run == run && d.state().Terminal())
}

// awaitsQueue reports whether the job was accepted but is not known to be on the queue.
func (d Document) awaitsQueue() bool {
	return d.known() && (d.Head.Type == events.TypeCreated || d.Head.Type == events.TypeRedriven)
}

// job returns the message that brings the document's run onto the queue.
func (d Document) job() events.Job {
	return events.NewJob(d.Head.JobID, d.Head.Run, d.spec())
}

func (d Document) spec() events.Spec {
	switch data := d.Origin.Data.(type) {
	case events.Created:
		return data.Spec
	case events.Started:
		return data.Spec
	}
	return events.Spec{}
}

// view is the document as users see it. The queue position is not the document's to know.
func (d Document) view() events.Status {
	s := events.Status{
		ID:      d.Head.JobID,
		State:   d.state(),
		Run:     d.Head.Run,
		Attempt: d.Head.Attempt,
		Spec:    d.spec(),
	}
	s.Table = s.Spec.Table
	if d.Started != nil && d.Started.Run == s.Run {
		s.StartedAt = &d.Started.At
	}
	switch {
	case s.State.Terminal():
		s.FinishedAt, s.Figures = &d.Head.At, figures(d.Head.Data)
	case d.Figures != nil && d.Figures.Run == s.Run:
		s.Figures = figures(d.Figures.Data)
	}
	switch data := d.Head.Data.(type) {
	case events.Retrying:
		s.Failure, s.NextAttemptAt = data.Failure, &data.NextAttemptAt
	case events.Failed:
		s.Failure = &data.Failure
	case events.Succeeded:
		s.Result, s.Table = &data.Result, data.Result.Table
	}
	return s
}

func figures(p events.Payload) events.Figures {
	switch data := p.(type) {
	case events.Progress:
		return data.Figures
	case events.Retrying:
		return data.Figures
	case events.Succeeded:
		return data.Figures
	case events.Failed:
		return data.Figures
	case events.Cancelled:
		return data.Figures
	}
	return events.Figures{}
}
