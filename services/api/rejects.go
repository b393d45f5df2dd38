package api

import (
	"context"
	"io"

	"sluice/pkg/events"
	"sluice/services/api/dataset"
	"sluice/services/api/openapi"
)

// GetJobRejects returns a page of the rows that a job has left out, or streams all of them.
func (s *Service) GetJobRejects(ctx context.Context, r openapi.GetJobRejectsRequestObject) (openapi.GetJobRejectsResponseObject, error) {
	id, err := validID(r.ID)
	if err != nil {
		return nil, err
	}
	reader, err := s.datasets()
	if err != nil {
		return nil, err
	}
	limit, err := pageLimit(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	format := openapi.GetJobRejectsParamsFormatJSON
	if preferred(ctx, csvFormat) == csvFormat {
		format = openapi.GetJobRejectsParamsFormatCsv
	}
	stream := valueOr(r.Params.Format, format) == openapi.GetJobRejectsParamsFormatCsv
	question := dataset.RejectsQuery{JobID: id, Limit: int64(limit), Cursor: valueOr(r.Params.Cursor, "")}
	if stream {
		question.Limit = 1 // to see whether there are any
	}
	page, err := reader.Rejects(ctx, question)
	if err != nil {
		return nil, datasetError(err)
	}
	if len(page.Rejects) == 0 { // or there is no such job
		if _, err := s.status(ctx, events.Get{ID: id}); err != nil {
			return nil, err
		}
	}
	if !stream {
		return viewRejects(page), nil
	}
	if question.Limit = 0; r.Params.Limit != nil {
		question.Limit = int64(limit)
	}
	return s.download(ctx, csvWithHeader, "rejects-"+id+".csv", func(ctx context.Context, out io.Writer) error {
		return reader.ExportRejects(ctx, question, out)
	}), nil
}

func viewRejects(page dataset.Rejects) openapi.GetJobRejects200JSONResponse {
	list := openapi.RejectList{Rejects: make([]openapi.Reject, len(page.Rejects)), NextCursor: optional(page.Next)}
	for i, r := range page.Rejects {
		list.Rejects[i] = openapi.Reject{
			Line: r.Line, ByteOffset: r.ByteOffset, Column: r.Column, ColumnName: r.ColumnName, Code: r.Code, Reason: r.Reason, Raw: r.Raw,
		}
	}
	return openapi.GetJobRejects200JSONResponse(list)
}
