package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	// previewTime bounds how long an ingester may take to answer; it gives itself less.
	previewTime        = 15 * time.Second
	defaultPreviewRows = 10
	maxPreviewRows     = 100
)

// CreatePreview tells how a job would read a file.
func (s *Service) CreatePreview(ctx context.Context, r openapi.CreatePreviewRequestObject) (openapi.CreatePreviewResponseObject, error) {
	question, err := s.previewQuestion(*r.Body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	var found events.Previewed
	if err := bus.Ask(ctx, s.bus.Conn, events.SubjectIngesterPreview, question, &found); err != nil {
		return nil, ingesterError(err)
	}
	if found.Failure != nil {
		return nil, refusal.New(refusal.Code(found.Failure.Code), found.Failure.Message)
	}
	return openapi.CreatePreview200JSONResponse(viewPreview(found)), nil
}

// validatePreview reads a request as that of a job which says no more, or says about each bad field what is wrong with it.
func validatePreview(body openapi.PreviewRequest) (source, reading, int, error) {
	job := openapi.JobRequest{
		URL: body.URL, Upload: body.Upload, Headers: body.Headers, Member: body.Member,
		CSV: body.CSV, Null: body.Null, ColumnNames: body.ColumnNames,
	}
	from, bad := parseSource(job)
	read, problems := parseReading(job)
	bad = append(bad, problems...)
	rows := defaultPreviewRows
	if body.Rows != nil {
		if rows = *body.Rows; rows < 0 || rows > maxPreviewRows {
			bad = append(bad, refusal.At("/rows", fmt.Sprintf("must be 0 to %d", maxPreviewRows)))
		}
	}
	if len(bad) > 0 {
		return source{}, reading{}, 0, refusal.BadFields(bad...)
	}
	return from, read, rows, nil
}

func (s *Service) previewQuestion(body openapi.PreviewRequest) (events.Preview, error) {
	from, read, rows, err := validatePreview(body)
	if err != nil {
		return events.Preview{}, err
	}
	id := uuid.NewString()
	source, err := s.seal(id, from)
	if err != nil {
		return events.Preview{}, err
	}
	return events.Preview{ID: id, Rows: rows, Spec: events.Spec{
		Source: source, CSV: read.CSV, Null: read.Null, ColumnNames: read.ColumnNames, CreatedAt: s.now().UTC(),
	}}, nil
}

// ingesterError tells the caller that no ingester has answered a question as it should.
func ingesterError(err error) error {
	answered, refused := errors.AsType[*bus.Refusal](err)
	switch {
	case errors.Is(err, context.Canceled): // the caller has gone
		return err
	case refused && answered.Code == events.QueryBusy:
		return refusal.New(refusal.IngesterUnavailable,
			"the ingester that was asked has no room for another question now; try again").Because(err)
	case refused:
		return refusal.New(refusal.IngesterUnavailable, "the ingester could not answer; its log tells more").Because(err)
	case errors.Is(err, bus.ErrUnavailable):
		return refusal.New(refusal.IngesterUnavailable, "no ingester has answered; jobs that are accepted wait for one").Because(err)
	}
	return err
}

func viewPreview(p events.Previewed) openapi.Preview {
	rows := p.Rows
	if rows == nil {
		rows = [][]*string{}
	}
	return openapi.Preview{
		Dialect: viewDialect(p.Dialect), Columns: viewColumns(p.Columns), Rows: rows, Warnings: viewWarnings(p.Warnings),
		FirstBad: viewFailure(p.FirstBad), Compression: optional(openapi.PreviewCompression(p.Compression)), Member: optional(p.Member),
		TotalBytes: p.TotalBytes, BytesRead: p.BytesRead, RowsRead: p.RowsRead, Complete: p.Complete, Cut: p.Cut,
	}
}
