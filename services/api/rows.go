package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"sluice/services/api/dataset"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// GetDatasetRows returns a page of a table's rows, or streams all of them.
func (s *Service) GetDatasetRows(ctx context.Context, r openapi.GetDatasetRowsRequestObject) (openapi.GetDatasetRowsResponseObject, error) {
	reader, err := s.datasets()
	if err != nil {
		return nil, err
	}
	p := r.Params
	format := openapi.GetDatasetRowsParamsFormatJSON
	switch preferred(ctx, ndjsonFormat, csvFormat) {
	case ndjsonFormat:
		format = openapi.GetDatasetRowsParamsFormatNdjson
	case csvFormat:
		format = openapi.GetDatasetRowsParamsFormatCsv
	}
	format = valueOr(p.Format, format)
	if format == openapi.GetDatasetRowsParamsFormatJSON {
		return readRows(ctx, reader, r)
	}
	if p.Cursor != nil {
		return nil, refusal.BadField("cursor", "goes with JSON only; a stream has all rows, or as many as limit says")
	}
	question := dataset.ExportQuery{
		Schema: valueOr(p.Schema, defaultSchema), Table: r.Table, Columns: valueOr(p.Columns, ""), Filters: valueOr(p.Filter, nil),
		Limit: valueOr(p.Limit, 0), Format: dataset.Format(format), FormulaSafe: valueOr(p.FormulaSafe, false),
	}
	if p.Limit != nil && *p.Limit < 1 {
		return nil, refusal.BadField("limit", "must be at least 1")
	}
	media := ndjsonFormat
	if question.Format == dataset.CSV {
		media = csvWithHeader
	}
	return s.download(ctx, media, r.Table+"."+string(format), func(ctx context.Context, out io.Writer) error {
		return reader.Export(ctx, question, out)
	}), nil
}

func readRows(ctx context.Context, reader *dataset.Reader, r openapi.GetDatasetRowsRequestObject) (rowPage, error) {
	p := r.Params
	limit := valueOr(p.Limit, defaultLimit)
	if limit < 1 || limit > maxLimit {
		return rowPage{}, refusal.BadField("limit", fmt.Sprintf("must be 1 to %d, unless the format is ndjson or csv", maxLimit))
	}
	page, err := reader.Rows(ctx, dataset.RowsQuery{
		Schema: valueOr(p.Schema, defaultSchema), Table: r.Table, Columns: valueOr(p.Columns, ""), Filters: valueOr(p.Filter, nil),
		Limit: int(limit), Cursor: valueOr(p.Cursor, ""),
	})
	if err != nil {
		return rowPage{}, datasetError(err)
	}
	return rowPage(page), nil
}

// rowPage is a page of rows, as the database has written them: their numbers would not survive being read.
type rowPage dataset.Rows

// VisitGetDatasetRowsResponse sends the page.
func (p rowPage) VisitGetDatasetRowsResponse(w http.ResponseWriter) error {
	var body bytes.Buffer
	body.WriteString(`{"rows":[`)
	for i, row := range p.Rows {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(row)
	}
	body.WriteByte(']')
	if p.Next != "" {
		body.WriteString(`,"next_cursor":"` + p.Next + `"`) // of letters, digits, - and _
	}
	body.WriteString("}\n")
	w.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	w.WriteHeader(http.StatusOK)
	if _, err := body.WriteTo(w); err != nil {
		return fmt.Errorf("sending rows: %w", err)
	}
	return nil
}

// download answers with a body that fill writes.
func (s *Service) download(ctx context.Context, media, name string, fill func(ctx context.Context, out io.Writer) error) rowStream {
	return func(w http.ResponseWriter) error {
		d := &download{ctx: ctx, w: w, media: media, name: name, log: s.config.Log}
		if err := d.send(s.intake.ending, fill); err != nil {
			return datasetError(err)
		}
		return nil
	}
}

// rowStream is an answer that lasts as long as the function.
type rowStream func(http.ResponseWriter) error

// VisitGetDatasetRowsResponse sends the stream.
func (a rowStream) VisitGetDatasetRowsResponse(w http.ResponseWriter) error { return a(w) }

// VisitGetJobRejectsResponse sends the stream.
func (a rowStream) VisitGetJobRejectsResponse(w http.ResponseWriter) error { return a(w) }
