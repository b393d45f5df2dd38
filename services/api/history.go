package api

import (
	"context"
	"errors"
	"strconv"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// GetJobEvents tells what has happened to a job, once or as it goes on.
func (s *Service) GetJobEvents(ctx context.Context, r openapi.GetJobEventsRequestObject) (openapi.GetJobEventsResponseObject, error) {
	id, err := validID(r.ID)
	if err != nil {
		return nil, err
	}
	if !wantsStream(ctx) {
		return s.history(ctx, id, r.Params)
	}
	last, resumes, err := lastEventID(r.Params.LastEventID)
	if err != nil {
		return nil, err
	}
	return s.watchJob(ctx, id, last, resumes)
}

func (s *Service) history(ctx context.Context, id string, p openapi.GetJobEventsParams) (openapi.GetJobEventsResponseObject, error) {
	limit, after, err := historyQuestion(p)
	if err != nil {
		return nil, err
	}
	page := openapi.EventList{Events: []openapi.Event{}}
	for stored, err := range s.bus.Events.History(ctx, events.JobEventSubjects(id), after+1) {
		if err != nil {
			return nil, historyError(err)
		}
		if len(page.Events) == limit {
			page.NextCursor = optional(strconv.FormatInt(page.Events[limit-1].Sequence, 10))
			break
		}
		e, err := stored.Event()
		if err != nil {
			s.config.Log.Debug("event not shown: it cannot be read", "job_id", id, "sequence", stored.Sequence, "err", err)
			continue
		}
		page.Events = append(page.Events, viewEvent(stored.Sequence, e))
	}
	if len(page.Events) == 0 { // events are forgotten before the job is
		if _, err := s.status(ctx, events.Get{ID: id}); err != nil {
			return nil, err
		}
	}
	return openapi.GetJobEvents200JSONResponse(page), nil
}

// historyQuestion returns how many events are wanted, and behind which sequence.
func historyQuestion(p openapi.GetJobEventsParams) (limit int, after uint64, err error) {
	limit = defaultLimit
	if p.Limit != nil {
		limit = *p.Limit
	}
	if p.Cursor != nil {
		if after, err = parseSequence(*p.Cursor); err != nil {
			return 0, 0, refusal.BadField("cursor", "is not the next_cursor of a page")
		}
	}
	return limit, after, nil
}

// parseSequence reads a sequence in the form in which it was shown.
func parseSequence(text string) (uint64, error) {
	return strconv.ParseUint(text, 10, 63)
}

func historyError(err error) error {
	if !errors.Is(err, bus.ErrUnavailable) {
		return err
	}
	return refusal.New(refusal.QueueUnavailable, "the history does not answer; jobs go on all the same").Because(err)
}
