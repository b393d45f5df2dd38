package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// questionTime bounds how long status may take to answer.
const questionTime = 5 * time.Second

const (
	defaultLimit = 50
	maxLimit     = 1000
)

// GetJob tells how a job stands, at once or when that has changed.
func (s *Service) GetJob(ctx context.Context, r openapi.GetJobRequestObject) (openapi.GetJobResponseObject, error) {
	id, err := validID(r.ID)
	if err != nil {
		return nil, err
	}
	view, tag, err := s.awaitJob(ctx, id, r.Params)
	if err != nil {
		return nil, err
	}
	if tag.in(r.Params.IfNoneMatch) {
		return tag.notModified(), nil
	}
	return openapi.GetJob200JSONResponse{Body: view, Headers: openapi.GetJob200ResponseHeaders{ETag: string(tag)}}, nil
}

// GetJobResult tells what a job has made.
func (s *Service) GetJobResult(ctx context.Context, r openapi.GetJobResultRequestObject) (openapi.GetJobResultResponseObject, error) {
	status, err := s.finished(ctx, r.ID)
	switch {
	case err != nil:
		return nil, err
	case !status.State.Terminal():
		return nil, refusal.New(refusal.NotFinished, "the job is "+string(status.State)+"; it has a result once it has succeeded")
	case status.Result == nil:
		return nil, refusal.New(refusal.NoResult, "the job ended as "+string(status.State)+"; only jobs that succeeded have a result")
	}
	view := viewResult(status.ID, *status.Result)
	tag, err := etagOf(view)
	if err != nil {
		return nil, err
	}
	if tag.in(r.Params.IfNoneMatch) {
		return tag.notModified(), nil
	}
	return openapi.GetJobResult200JSONResponse{Body: view, Headers: openapi.GetJobResult200ResponseHeaders{ETag: string(tag)}}, nil
}

// finished asks for a job that may have succeeded. Who has seen that in its events may be ahead of status, which is waited for.
func (s *Service) finished(ctx context.Context, id string) (events.Status, error) {
	status, err := s.jobStatus(ctx, id)
	if err != nil || status.State.Terminal() {
		return status, err
	}
	_, sequence, found, err := s.bus.Events.Last(ctx, status.ID, events.TypeSucceeded)
	switch {
	case err != nil:
		return status, historyError(err)
	case !found:
		return status, nil
	}
	return s.status(ctx, events.Get{ID: status.ID, Sequence: sequence})
}

// ListJobs returns a page of jobs.
func (s *Service) ListJobs(ctx context.Context, r openapi.ListJobsRequestObject) (openapi.ListJobsResponseObject, error) {
	question, err := listQuestion(r.Params)
	if err != nil {
		return nil, err
	}
	var page events.Page
	if err := s.ask(ctx, events.SubjectStatusList, question, &page); err != nil {
		return nil, err
	}
	list := openapi.JobList{Jobs: make([]openapi.Job, len(page.Jobs)), Totals: viewTotals(page.Totals)}
	for i, status := range page.Jobs {
		list.Jobs[i] = viewJob(status)
	}
	if page.Next != nil {
		cursor, err := encodeCursor(*page.Next)
		if err != nil {
			return nil, err
		}
		list.NextCursor = &cursor
	}
	tag, err := etagOf(list)
	if err != nil {
		return nil, err
	}
	if tag.in(r.Params.IfNoneMatch) {
		return tag.notModified(), nil
	}
	return openapi.ListJobs200JSONResponse{Body: list, Headers: openapi.ListJobs200ResponseHeaders{ETag: string(tag)}}, nil
}

// listQuestion is what status is asked for.
func listQuestion(p openapi.ListJobsParams) (events.List, error) {
	question := events.List{Limit: defaultLimit, State: events.State(value(p.State)), Filter: events.Filter{
		Priority: events.Priority(value(p.Priority)), Table: value(p.Table), Source: value(p.Source),
		CreatedAfter: value(p.CreatedAfter), CreatedBefore: value(p.CreatedBefore),
	}}
	if p.Limit != nil {
		question.Limit = *p.Limit
	}
	if p.Cursor != nil {
		after, err := decodeCursor(*p.Cursor)
		if err != nil {
			return events.List{}, refusal.BadField("cursor", "is not the next_cursor of a page")
		}
		question.After = &after
	}
	return question, nil
}

// value is what an optional parameter says, or zero.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// jobStatus asks for one job.
func (s *Service) jobStatus(ctx context.Context, id string) (events.Status, error) {
	id, err := validID(id)
	if err != nil {
		return events.Status{}, err
	}
	return s.status(ctx, events.Get{ID: id})
}

// validID returns the id in its usual form. One that is no UUID is the id of no job.
func validID(id string) (string, error) {
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return "", refusal.New(refusal.JobNotFound, "check the id; jobs are forgotten some time after their end")
	}
	return parsed.String(), nil
}

func (s *Service) status(ctx context.Context, question events.Get) (events.Status, error) {
	var status events.Status
	err := s.ask(ctx, events.SubjectStatusGet, question, &status)
	return status, err
}

// ask puts a question to status.
func (s *Service) ask(ctx context.Context, subject string, question, answer any) error {
	data, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("encoding a question for status: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	reply, err := s.bus.Conn.RequestWithContext(ctx, subject, data)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return refusal.New(refusal.StatusUnavailable, "no status service is running; jobs go on all the same").Because(err)
	case err != nil && ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ctx.Err() // the caller has gone
	case err != nil:
		return refusal.New(refusal.StatusUnavailable, "status did not answer in time; jobs go on all the same").Because(err)
	}
	switch code := reply.Header.Get(micro.ErrorCodeHeader); code {
	case "":
	case events.QueryFinished:
		return refusal.New(refusal.AlreadyFinished, "it is too late to cancel the job: it has ended")
	case events.QueryUnfinished:
		return refusal.New(refusal.NotFinished, "only a job that has failed or was cancelled can be run again; this one is still under way")
	case events.QuerySucceeded:
		return refusal.New(refusal.NotRetryable, "the job has succeeded; create another job to load the file again")
	case events.QueryNotFound:
		return refusal.New(refusal.JobNotFound, "check the id; jobs are forgotten some time after their end")
	default:
		return refusal.New(refusal.StatusUnavailable, "status could not answer; jobs go on all the same").
			Because(fmt.Errorf("status answered %s: %s", code, reply.Header.Get(micro.ErrorHeader)))
	}
	if err := json.Unmarshal(reply.Data, answer); err != nil {
		return fmt.Errorf("decoding the answer of status: %w", err)
	}
	return nil
}

// A cursor is opaque to callers.
func encodeCursor(c events.Cursor) (string, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encoding a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

func decodeCursor(text string) (events.Cursor, error) {
	var c events.Cursor
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return c, fmt.Errorf("decoding a cursor: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("decoding a cursor: %w", err)
	}
	if id, err := validID(c.ID); err != nil || id != c.ID {
		return c, errors.New("decoding a cursor: not one of ours")
	}
	return c, nil
}
