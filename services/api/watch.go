package api

import (
	"context"
	"fmt"
	"net/http"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// streamRetry tells a client how soon to come again, in milliseconds.
const streamRetry = "retry: 1000\n"

// StreamEvents tells what happens to all jobs.
func (s *Service) StreamEvents(ctx context.Context, r openapi.StreamEventsRequestObject) (openapi.StreamEventsResponseObject, error) {
	last, resumes, err := lastEventID(r.Params.LastEventID)
	if err != nil {
		return nil, err
	}
	return s.watchAll(ctx, last, resumes)
}

// lastEventID reads the sequence of the last event that the caller knows, if it names one.
func lastEventID(header *string) (last uint64, resumes bool, err error) {
	if header == nil {
		return 0, false, nil
	}
	last, err = parseSequence(*header)
	if err != nil {
		return 0, false, refusal.New(refusal.InvalidRequest, "Last-Event-ID must be the id of an event of these streams",
			refusal.At("Last-Event-ID", "must be the id of an event of these streams"))
	}
	return last, true, nil
}

// answering is the answer to a request for a stream: a function that lasts as long as that.
type answering func(http.ResponseWriter) error

// VisitGetJobEventsResponse sends the stream.
func (a answering) VisitGetJobEventsResponse(w http.ResponseWriter) error { return a(w) }

// VisitStreamEventsResponse sends the stream.
func (a answering) VisitStreamEventsResponse(w http.ResponseWriter) error { return a(w) }

// watchAll answers with what happens to all jobs. What the history has is sent before the listening begins, so that a
// long one does not use up the listener's room; what was added to it meanwhile is sent thereafter.
func (s *Service) watchAll(ctx context.Context, last uint64, resumes bool) (answering, error) {
	ctx, l, err := s.feed.join(ctx, everyJob)
	if err != nil {
		return nil, err
	}
	end, err := s.bus.Events.LastSequence(ctx)
	if err != nil {
		return nil, historyError(err)
	}
	if !resumes || last > end { // beyond the end lies what a restored history has lost
		last = end
	}
	st := &stream{service: s, ctx: ctx, listener: l, subject: events.EventSubjects, last: last}
	return func(w http.ResponseWriter) error {
		return st.answer(w, fmt.Sprintf("%sid: %d\n\n", streamRetry, last), func(flush func() error) error {
			if err := st.collect(last+1, flush); err != nil {
				return err
			}
			s.feed.goLive(l)
			return st.collect(st.last+1, flush)
		})
	}, nil
}

// watchJob answers with what has happened and happens to one job, until it has ended.
func (s *Service) watchJob(ctx context.Context, id string, last uint64, resumes bool) (openapi.GetJobEventsResponseObject, error) {
	ctx, l, err := s.feed.join(ctx, id)
	if err != nil {
		return nil, err
	}
	if resumes {
		end, err := s.bus.Events.LastSequence(ctx)
		if err != nil {
			return nil, historyError(err)
		}
		if last > end { // as in watchAll; of one job everything can be told again
			last = 0
		}
	}
	st := &stream{service: s, ctx: ctx, listener: l, subject: events.JobEventSubjects(id), last: last}
	s.feed.goLive(l) // at once: the history of one job is short
	if err := st.collect(1, func() error { return nil }); err != nil {
		return nil, historyError(err)
	}
	over := st.complete()
	if st.run == 0 { // events are forgotten before the job is
		status, err := s.status(ctx, events.Get{ID: id})
		if err != nil {
			return nil, err
		}
		over = status.State.Terminal()
	}
	if over && len(st.pending) == 0 {
		return openapi.GetJobEvents204Response{}, nil
	}
	return answering(func(w http.ResponseWriter) error {
		return st.answer(w, streamRetry+"\n", func(func() error) error { return nil })
	}), nil
}
