package api

import (
	"context"
	"errors"
	"mime"

	"github.com/labstack/echo/v4"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// DownloadFile is the first design's way to create a job.
func (s *Service) DownloadFile(ctx context.Context, r openapi.DownloadFileRequestObject) (openapi.DownloadFileResponseObject, error) {
	var file string
	switch {
	case r.JSONBody != nil:
		file = r.JSONBody.FileURL
	case r.FormdataBody != nil:
		file = r.FormdataBody.FileURL
	default:
		return nil, refusal.New(refusal.UnsupportedMediaType, "send fileUrl as a form or as JSON")
	}
	from, problem := parseURL(file)
	if problem != "" {
		return nil, refusal.New(refusal.InvalidRequest, "fileUrl "+problem, refusal.At("/fileUrl", problem))
	}
	status, err := s.create(ctx, request{source: source{url: from}, priority: events.Normal}, nil)
	if err != nil {
		return nil, err
	}
	return openapi.DownloadFile200JSONResponse{JobID: status.ID}, nil
}

// readForm reads a form before the generated code does, which would take one that cannot be read for an error of ours.
func readForm(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		media, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
		if err != nil || media != echo.MIMEApplicationForm || uploads(c) { // which curl says of any file
			return next(c)
		}
		var tooLarge *echo.HTTPError
		if _, err := c.FormParams(); errors.As(err, &tooLarge) {
			return err
		} else if err != nil {
			return refusal.New(refusal.InvalidRequest, "the form cannot be read; percent-encode its values, a semicolon as %3B")
		}
		return next(c)
	}
}

// JobStatus is the first design's way to ask for a job.
func (s *Service) JobStatus(ctx context.Context, r openapi.JobStatusRequestObject) (openapi.JobStatusResponseObject, error) {
	status, err := s.jobStatus(ctx, r.Params.JobID)
	if err != nil {
		return nil, err
	}
	return openapi.JobStatus200JSONResponse{JobID: status.ID, State: firstDesignStates[status.State]}, nil
}

// JobCancel is the first design's way to cancel a job. It tells the state, whether it came too late or not.
func (s *Service) JobCancel(ctx context.Context, r openapi.JobCancelRequestObject) (openapi.JobCancelResponseObject, error) {
	status, err := s.cancel(ctx, r.Params.JobID)
	var refused *refusal.Error
	if errors.As(err, &refused) && refused.Code == refusal.AlreadyFinished {
		status, err = s.jobStatus(ctx, r.Params.JobID)
	}
	if err != nil {
		return nil, err
	}
	return openapi.JobCancel200JSONResponse{JobID: status.ID, State: firstDesignStates[status.State]}, nil
}

// firstDesignStates are the states in the words of pg-boss, which the first design used.
var firstDesignStates = map[events.State]openapi.FirstDesignStatusState{
	events.StateQueued:     openapi.FirstDesignStatusStateCreated,
	events.StateRetrying:   openapi.FirstDesignStatusStateRetry,
	events.StateRunning:    openapi.FirstDesignStatusStateActive,
	events.StateCancelling: openapi.FirstDesignStatusStateActive,
	events.StateSucceeded:  openapi.FirstDesignStatusStateCompleted,
	events.StateCancelled:  openapi.FirstDesignStatusStateCancelled,
	events.StateFailed:     openapi.FirstDesignStatusStateFailed,
}
