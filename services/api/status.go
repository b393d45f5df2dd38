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
	status, err := s.jobStatus(ctx, r.ID)
	switch {
	case err != nil:
		return nil, err
	case !status.State.Terminal():
		return nil, refuse(codeNotFinished, "the job is "+string(status.State)+"; it has a result once it has succeeded")
	case status.Result == nil:
		return nil, refuse(codeNoResult, "the job ended as "+string(status.State)+"; only jobs that succeeded have a result")
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
	question := events.List{Limit: defaultLimit, Filter: events.Filter{Table: value(p.Table), Source: value(p.Source)}}
	var bad []fieldError
	if p.Limit != nil {
		question.Limit = *p.Limit
		if question.Limit < 1 || question.Limit > maxLimit {
			bad = append(bad, fieldError{"limit", fmt.Sprintf("must be 1 to %d", maxLimit)})
		}
	}
	if p.State != nil {
		question.State = events.State(*p.State)
		if !question.State.Valid() {
			bad = append(bad, fieldError{"state", fmt.Sprintf("must be one of %v", events.States())})
		}
	}
	if p.Priority != nil {
		question.Priority = events.Priority(*p.Priority)
		if !question.Priority.Valid() {
			bad = append(bad, fieldError{"priority", "must be urgent or normal"})
		}
	}
	if p.Table != nil && (question.Table == "" || len(question.Table) > maxName) {
		bad = append(bad, fieldError{"table", fmt.Sprintf("must have 1 to %d bytes", maxName)})
	}
	if p.Source != nil && (question.Source == "" || len(question.Source) > maxURL) {
		bad = append(bad, fieldError{"source", fmt.Sprintf("must have 1 to %d bytes", maxURL)})
	}
	question.CreatedAfter, question.CreatedBefore = value(p.CreatedAfter), value(p.CreatedBefore)
	if p.Cursor != nil {
		after, err := decodeCursor(*p.Cursor)
		if err != nil {
			bad = append(bad, fieldError{"cursor", "is not the next_cursor of a page"})
		}
		question.After = &after
	}
	if len(bad) > 0 {
		return events.List{}, refuse(codeInvalidRequest, bad[0].pointer+" "+bad[0].detail, bad...)
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
		return "", refuse(codeJobNotFound, "check the id; jobs are forgotten some time after their end")
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
		return refuse(codeStatusUnavailable, "no status service is running; jobs go on all the same").because(err)
	case err != nil && ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ctx.Err() // the caller has gone
	case err != nil:
		return refuse(codeStatusUnavailable, "status did not answer in time; jobs go on all the same").because(err)
	}
	switch code := reply.Header.Get(micro.ErrorCodeHeader); code {
	case "":
	case events.QueryFinished:
		return refuse(codeAlreadyFinished, "it is too late to cancel the job: it has ended")
	case events.QueryUnfinished:
		return refuse(codeNotFinished, "only a job that has failed or was cancelled can be run again; this one is still under way")
	case events.QuerySucceeded:
		return refuse(codeNotRetryable, "the job has succeeded; create another job to load the file again")
	case events.QueryNotFound:
		return refuse(codeJobNotFound, "check the id; jobs are forgotten some time after their end")
	default:
		return refuse(codeStatusUnavailable, "status could not answer; jobs go on all the same").
			because(fmt.Errorf("status answered %s: %s", code, reply.Header.Get(micro.ErrorHeader)))
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
